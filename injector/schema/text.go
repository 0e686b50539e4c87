package main

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

const heading = `# Written by the program in this folder; see README.md.
`

// text writes down the types that are wanted, by name.
func text(types map[string]reflect.Type, wanted func(reflect.Type) bool) []byte {
	var out bytes.Buffer
	out.WriteString(heading)
	for _, name := range slices.Sorted(maps.Keys(types)) {
		if t := types[name]; wanted(t) {
			out.WriteString("\n")
			write(&out, t)
		}
	}
	return out.Bytes()
}

func write(out *bytes.Buffer, t reflect.Type) {
	switch {
	case isMessage(t):
		fmt.Fprintf(out, "message %s\n", t)
		for _, field := range fields(t) {
			writeProto(out, t, field)
		}
	case isEnum(t):
		fmt.Fprintf(out, "enum %s\n", t)
		values := reflect.Zero(t).Interface().(protoreflect.Enum).Descriptor().Values()
		for i := range values.Len() {
			fmt.Fprintf(out, "  %d %s\n", values.Get(i).Number(), values.Get(i).Name())
		}
	case t.Kind() == reflect.Struct:
		fmt.Fprintf(out, "struct %s\n", t)
		for _, field := range fields(t) {
			fmt.Fprintf(out, "  %s %s%s\n", field.Name, typeText(field.Type), jsonText(field))
		}
	default:
		fmt.Fprintf(out, "type %s %s\n", t, underlying(t))
	}
}

func writeProto(out *bytes.Buffer, message reflect.Type, field reflect.StructField) {
	if !isOneof(field) {
		fmt.Fprintf(out, "  %s %s %s\n", field.Name, typeText(field.Type), protoName(field))
		return
	}
	fmt.Fprintf(out, "  %s oneof\n", field.Name)
	for _, wrapper := range wrappers(message, field) {
		fmt.Fprintf(out, "    %s %s %s %s\n", wrapper.Name, typeText(wrapper.Type), protoName(wrapper.StructField), wrapper.holder)
	}
}

// jsonText is what a field of a struct is in JSON: nothing where it has its own name there.
func jsonText(field reflect.StructField) string {
	tag, ok := field.Tag.Lookup("json")
	if !ok {
		return ""
	}
	name, options, _ := strings.Cut(tag, ",")
	if name == "" && field.Anonymous {
		return " inline"
	}
	if name == "" {
		name = field.Name
	}
	if slices.Contains(strings.Split(options, ","), "omitempty") {
		return " " + name + " omitempty"
	}
	return " " + name
}

func protoName(field reflect.StructField) string {
	var name string
	for part := range strings.SplitSeq(field.Tag.Get("protobuf"), ",") {
		if value, ok := strings.CutPrefix(part, "json="); ok {
			return value
		}
		if value, ok := strings.CutPrefix(part, "name="); ok {
			name = value
		}
	}
	return name
}

func typeText(t reflect.Type) string {
	return strings.ReplaceAll(t.String(), "interface {}", "any")
}

func underlying(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Map:
		return fmt.Sprintf("map[%s]%s", typeText(t.Key()), typeText(t.Elem()))
	case reflect.Slice:
		return "[]" + typeText(t.Elem())
	default:
		return t.Kind().String()
	}
}

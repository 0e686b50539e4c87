package main

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// special types have a JSON form that their fields do not tell: the injector knows them by heart.
var special = []reflect.Type{
	reflect.TypeFor[resource.Quantity](),
	reflect.TypeFor[intstr.IntOrString](),
	reflect.TypeFor[meta.Time](),
	reflect.TypeFor[meta.FieldsV1](),
}

// collect gives the named types that root consists of, root included, by their names.
func collect(root reflect.Type) (map[string]reflect.Type, error) {
	found := map[string]reflect.Type{}
	pending := []reflect.Type{root}
	for len(pending) > 0 {
		t := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		if isNamed(t) {
			if known, ok := found[t.String()]; ok {
				if known != t {
					return nil, fmt.Errorf("two types print as %s: of %s and %s", t, known.PkgPath(), t.PkgPath())
				}
				continue
			}
			if slices.Contains(special, t) {
				continue
			}
			found[t.String()] = t
		}
		pending = append(pending, parts(t)...)
	}
	return found, nil
}

func isNamed(t reflect.Type) bool {
	return t.PkgPath() != ""
}

// parts are the types that t refers to.
func parts(t reflect.Type) []reflect.Type {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		return []reflect.Type{t.Elem()}
	case reflect.Map:
		return []reflect.Type{t.Key(), t.Elem()}
	case reflect.Struct:
		var types []reflect.Type
		for _, field := range fields(t) {
			if isOneof(field) {
				for _, wrapper := range wrappers(t, field) {
					types = append(types, wrapper.Type)
				}
			} else {
				types = append(types, field.Type)
			}
		}
		return types
	default:
		return nil
	}
}

func fields(t reflect.Type) []reflect.StructField {
	return slices.DeleteFunc(slices.Collect(t.Fields()), func(field reflect.StructField) bool {
		return !field.IsExported()
	})
}

func isOneof(field reflect.StructField) bool {
	return field.Tag.Get("protobuf_oneof") != ""
}

// wrappers are the fields of the structs that can be in a oneof, in the order of their numbers.
func wrappers(message reflect.Type, oneof reflect.StructField) []wrapper {
	prototype := reflect.New(message).Interface().(proto.Message).ProtoReflect()
	descriptor := prototype.Descriptor().Oneofs().ByName(protoreflect.Name(oneof.Tag.Get("protobuf_oneof")))
	found := map[protoreflect.FieldNumber]wrapper{}
	for i := range descriptor.Fields().Len() {
		field := descriptor.Fields().Get(i)
		one := prototype.New()
		one.Set(field, one.NewField(field))
		holder := reflect.ValueOf(one.Interface()).Elem().FieldByName(oneof.Name).Elem().Elem().Type()
		found[field.Number()] = wrapper{holder, holder.Field(0)}
	}
	var sorted []wrapper
	for _, number := range slices.Sorted(maps.Keys(found)) {
		sorted = append(sorted, found[number])
	}
	return sorted
}

// wrapper is one case of a oneof: a struct with one field.
type wrapper struct {
	holder reflect.Type
	reflect.StructField
}

// isProto tells whether t is a message or an enum of protobuf.
func isProto(t reflect.Type) bool {
	return isMessage(t) || isEnum(t)
}

func isMessage(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && reflect.PointerTo(t).Implements(reflect.TypeFor[protoreflect.ProtoMessage]())
}

func isEnum(t reflect.Type) bool {
	return t.Implements(reflect.TypeFor[protoreflect.Enum]())
}

package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// decode reads data with type tags. Absent data is null. The capacity of every slice is its length, because a template
// can see the difference.
func (r run) decode(raw []byte) (any, error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return nil, err
	}
	if decoder.More() {
		return nil, errors.New("more than one JSON value")
	}
	return r.value(tree)
}

func (r run) value(tree any) (any, error) {
	switch tree := tree.(type) {
	case json.Number:
		return tree.Float64()
	case []any:
		return listOf(tree, r.value)
	case map[string]any:
		if tag, content, ok := tagOf(tree); ok {
			value, err := r.tagged(tag, content)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", tag, err)
			}
			return value, nil
		}
		return mapOf(tree, asKey, r.value)
	}
	return tree, nil
}

// tagOf finds the tag of an object that has one: its only key starts with a dollar sign.
func tagOf(tree any) (tag string, content any, ok bool) {
	object, _ := tree.(map[string]any)
	if len(object) != 1 {
		return "", nil, false
	}
	for tag, content = range object {
	}
	return tag, content, strings.HasPrefix(tag, "$")
}

func (r run) tagged(tag string, content any) (any, error) {
	switch tag {
	case "$bytes":
		return asString(map[string]any{tag: content})
	case "$list", "$map":
		return r.typed(tag, content)
	case "$intmap":
		object, err := asObject(content)
		if err != nil {
			return nil, err
		}
		return mapOf(object, strconv.Atoi, r.value)
	case "$nil":
		return typedNil(content)
	case "$person":
		return r.person(content)
	case "$ptr":
		return r.pointer(content)
	case "$func":
		return r.namedFunction(content)
	case "$error":
		text, err := asString(content)
		return errors.New(text), err
	case "$mode":
		return asMode(content)
	}
	return number(tag, content)
}

func number(tag string, content any) (any, error) {
	switch tag {
	case "$int":
		return asInteger[int](content)
	case "$int8":
		return asInteger[int8](content)
	case "$int16":
		return asInteger[int16](content)
	case "$int32":
		return asInteger[int32](content)
	case "$int64":
		return asInteger[int64](content)
	case "$uint":
		return asUnsigned[uint](content)
	case "$uint8":
		return asUnsigned[uint8](content)
	case "$uint16":
		return asUnsigned[uint16](content)
	case "$uint32":
		return asUnsigned[uint32](content)
	case "$uint64":
		return asUnsigned[uint64](content)
	case "$float32":
		f, err := asFloat(content)
		return float32(f), err
	case "$float64":
		return asFloat(content)
	case "$complex128":
		parts, err := listAs(content, asFloat)
		if err != nil || len(parts) != 2 {
			return nil, fmt.Errorf("not a pair of numbers: %v", content)
		}
		return complex(parts[0], parts[1]), nil
	}
	return nil, errors.New("unknown tag")
}

// typed reads `["ELEMENT", ITEM…]` or `["ELEMENT", {…}]`.
func (r run) typed(tag string, content any) (any, error) {
	items, ok := content.([]any)
	if !ok || len(items) == 0 {
		return nil, errors.New("no element type")
	}
	build := collection{list: items[1:]}
	if tag == "$map" {
		if len(items) != 2 {
			return nil, errors.New("not one object after the element type")
		}
		object, err := asObject(items[1])
		if err != nil {
			return nil, err
		}
		build = collection{object: object}
	}
	switch items[0] {
	case "string":
		return collect(build, asString)
	case "int":
		return collect(build, asInteger[int])
	case "int64":
		return collect(build, asInteger[int64])
	case "uint8":
		return collect(build, asUnsigned[uint8])
	case "float64":
		return collect(build, asFloat)
	case "bool":
		return collect(build, asBool)
	case "list":
		return collect(build, func(tree any) ([]any, error) { return listAs(tree, r.value) })
	case "any":
		return collect(build, r.value)
	}
	return nil, fmt.Errorf("unknown element type %v", items[0])
}

// collection is a list or an object whose elements have one type.
type collection struct {
	list   []any
	object map[string]any
}

func collect[T any](c collection, convert func(any) (T, error)) (any, error) {
	if c.object != nil {
		return mapOf(c.object, asKey, convert)
	}
	return listOf(c.list, convert)
}

func typedNil(name any) (any, error) {
	switch name {
	case "person":
		return (*Person)(nil), nil
	case "list":
		return []any(nil), nil
	case "map":
		return map[string]any(nil), nil
	case "strings":
		return map[string]string(nil), nil
	case "func":
		return (func() string)(nil), nil
	}
	return nil, fmt.Errorf("unknown type %v", name)
}

func (r run) pointer(content any) (any, error) {
	target, err := r.value(content)
	if err != nil {
		return nil, err
	}
	switch target := target.(type) {
	case Person:
		return &target, nil
	case int:
		return &target, nil
	case string:
		return &target, nil
	}
	return nil, fmt.Errorf("no pointer to %T", target)
}

func (r run) namedFunction(name any) (any, error) {
	text, _ := name.(string)
	f, ok := r.registered()[text]
	if !ok {
		return nil, fmt.Errorf("unknown function %v", name)
	}
	return r.function(f), nil
}

func listOf[T any](trees []any, convert func(any) (T, error)) ([]T, error) {
	list := make([]T, 0, len(trees))
	for _, tree := range trees {
		item, err := convert(tree)
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	return slices.Clip(list), nil
}

func listAs[T any](tree any, convert func(any) (T, error)) ([]T, error) {
	trees, ok := tree.([]any)
	if !ok {
		return nil, fmt.Errorf("not a list: %v", tree)
	}
	return listOf(trees, convert)
}

func mapOf[K comparable, V any](
	object map[string]any, convertKey func(string) (K, error), convert func(any) (V, error),
) (map[K]V, error) {
	result := make(map[K]V, len(object))
	for name, tree := range object {
		key, err := convertKey(name)
		if err != nil {
			return nil, err
		}
		if result[key], err = convert(tree); err != nil {
			return nil, err
		}
	}
	return result, nil
}

func asKey(name string) (string, error) { return name, nil }

func asObject(tree any) (map[string]any, error) {
	object, ok := tree.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("not an object: %v", tree)
	}
	return object, nil
}

func asString(tree any) (string, error) {
	if text, ok := tree.(string); ok {
		return text, nil
	}
	tag, content, _ := tagOf(tree)
	encoded, ok := content.(string)
	if tag != "$bytes" || !ok {
		return "", fmt.Errorf("not a string: %v", tree)
	}
	text, err := base64.StdEncoding.DecodeString(encoded)
	return string(text), err
}

func asBool(tree any) (bool, error) {
	b, ok := tree.(bool)
	if !ok {
		return false, fmt.Errorf("not a boolean: %v", tree)
	}
	return b, nil
}

func asMode(tree any) (Mode, error) {
	n, err := asInteger[int32](tree)
	return Mode(n), err
}

func asInteger[T int | int8 | int16 | int32 | int64](tree any) (T, error) {
	n, err := strconv.ParseInt(digits(tree), 10, 64)
	if err == nil && int64(T(n)) != n {
		err = fmt.Errorf("%d is out of range", n)
	}
	return T(n), err
}

func asUnsigned[T uint | uint8 | uint16 | uint32 | uint64](tree any) (T, error) {
	n, err := strconv.ParseUint(digits(tree), 10, 64)
	if err == nil && uint64(T(n)) != n {
		err = fmt.Errorf("%d is out of range", n)
	}
	return T(n), err
}

func asFloat(tree any) (float64, error) {
	return strconv.ParseFloat(digits(tree), 64)
}

// digits gives the text of a number, which may stand in quotes (JSON has no NaN).
func digits(tree any) string {
	switch tree := tree.(type) {
	case json.Number:
		return tree.String()
	case string:
		return tree
	}
	return ""
}

package main

import (
	"fmt"
	"testing"
)

func TestTagsGiveTypes(t *testing.T) {
	cases := map[string]string{
		`1`:                                 "float64 1",
		`{"$int8": -128}`:                   "int8 -128",
		`{"$uint64": 18446744073709551615}`: "uint64 0xffffffffffffffff",
		`{"$float64": "-0"}`:                "float64 -0",
		`{"$complex128": [1, "NaN"]}`:       "complex128 (1+NaNi)",
		`{"$bytes": "/w=="}`:                `string "\xff"`,
		`{"$list": ["string", "a"]}`:        `[]string []string{"a"}`,
		`{"$list": ["list", [1], []]}`:      `[][]interface {} [][]interface {}{[]interface {}{1}, []interface {}{}}`,
		`{"$map": ["bool", {"a": true}]}`:   `map[string]bool map[string]bool{"a":true}`,
		`{"$map": ["int", {}]}`:             `map[string]int map[string]int{}`,
		`{"$intmap": {"-1": "x"}}`:          `map[int]interface {} map[int]interface {}{-1:"x"}`,
		`{"$nil": "person"}`:                `*main.Person (*main.Person)(nil)`,
		`{"$int": 1, "$more": 2}`:           `map[string]interface {} map[string]interface {}{"$int":1, "$more":2}`,
	}
	for raw, want := range cases {
		value, err := run(0).decode([]byte(raw))
		if got := fmt.Sprintf("%T %#v", value, value); err != nil || got != want {
			t.Errorf("%s: got %s, %v; want %s", raw, got, err, want)
		}
	}
}

func TestWrongTagsAreErrors(t *testing.T) {
	for _, raw := range []string{
		`{"$int8": 128}`, `{"$int": 1.5}`, `{"$uint": -1}`, `{"$odd": 1}`, `{"$nil": "odd"}`, `{"$list": []}`, `{"$list": ["odd"]}`, `{"$func": "odd"}`,
		`{"$person": {"Odd": 1}}`, `{"$ptr": 1.5}`, `{"$map": ["int"]}`, `[1] 2`, `[`,
	} {
		if value, err := run(0).decode([]byte(raw)); err == nil {
			t.Errorf("%s: got %#v", raw, value)
		}
	}
}

func TestSlicesHaveNoSpareCapacity(t *testing.T) {
	for size := range 20 {
		trees := make([]any, size)
		list, err := listOf(trees, run(0).value)
		if err != nil || cap(list) != size {
			t.Errorf("size %d: capacity %d, %v", size, cap(list), err)
		}
	}
}

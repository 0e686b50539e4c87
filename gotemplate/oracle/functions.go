package main

import (
	"errors"
	"reflect"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

// run tells repeated renderings of one case apart. A rendering that shows the address of a function is not repeatable
// anywhere else, and every odd run moves those addresses so that it shows.
type run int

// function gives the same function at another address in every odd run.
func (r run) function(f any) any {
	if r%2 == 0 {
		return f
	}
	value := reflect.ValueOf(f)
	call := value.Call
	if value.Type().IsVariadic() {
		call = value.CallSlice
	}
	return reflect.MakeFunc(value.Type(), call).Interface()
}

// registered are the functions that every case may call, and that `{"$func": NAME}` names.
func (r run) registered() template.FuncMap {
	return template.FuncMap{
		"twice": func(s string) string { return s + s },
		"addInts": func(numbers ...int) int {
			sum := 0
			for _, n := range numbers {
				sum += n
			}
			return sum
		},
		"pair":           func(a, b any) []any { return []any{a, b} },
		"fails":          func() (string, error) { return "", errors.New("it failed") },
		"panics":         func() string { panic("boom") },
		"takesInt8":      func(n int8) int8 { return n },
		"takesUint":      func(n uint) uint { return n },
		"takesFloat":     func(f float64) float64 { return f },
		"takesBool":      func(b bool) bool { return b },
		"takesMap":       func(m map[string]any) int { return len(m) },
		"takesList":      func(l []any) int { return len(l) },
		"takesPerson":    func(p Person) string { return p.Name },
		"takesPersonPtr": func(p *Person) string { return p.GetName() },
		"takesComplex":   func(c complex128) complex128 { return c },
		"untypedNil":     func() any { return nil },
		"nilPerson":      func() *Person { return nil },
		"person":         func() Person { return Person{Name: "Ada", Age: 36} },
		"adder": func(n int) func(int) int {
			add := func(m int) int { return n + m }
			return r.function(add).(func(int) int)
		},
	}
}

// functions are all that a template may call beside the built-ins.
func (r run) functions(withSprig bool) template.FuncMap {
	all := r.registered()
	if withSprig {
		for name, f := range sprig.TxtFuncMap() {
			all[name] = f
		}
	}
	return all
}

package main

import (
	"errors"
	"fmt"
	"strings"
)

// Mode is an integer kind that prints as a word.
type Mode int32

func (m Mode) String() string {
	switch m {
	case 0:
		return "Off"
	case 1:
		return "On"
	case 2:
		return "Auto"
	}
	return fmt.Sprintf("Mode(%d)", int32(m))
}

// Person is the struct that cases use: a field of most kinds, one of them unexported, and methods on the value and on
// the pointer.
type Person struct {
	Name    string
	Age     int
	Height  float64
	Tags    map[string]string
	Friend  *Person
	Friends []*Person
	Mode    Mode
	Extra   any
	Numbers []int
	Limit   *int64
	secret  string
}

// Greeting takes nothing.
func (p Person) Greeting() string { return "hello, " + p.Name }

// Add takes two numbers.
func (p Person) Add(a, b int) int { return a + b }

// Join is variadic.
func (p Person) Join(separator string, parts ...string) string {
	return strings.Join(parts, separator)
}

// Fail returns an error, always.
func (p Person) Fail() (string, error) { return "", errors.New("no such thing") }

// Echo takes and returns any value.
func (p Person) Echo(v any) any { return v }

// GetName works on a nil pointer too.
func (p *Person) GetName() string {
	if p == nil {
		return ""
	}
	return p.Name
}

// GetFriend works on a nil pointer too.
func (p *Person) GetFriend() *Person {
	if p == nil {
		return nil
	}
	return p.Friend
}

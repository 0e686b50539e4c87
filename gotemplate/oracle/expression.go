package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// scope is what an expression can reach: dot, the root, and variables.
type scope struct {
	dot, root shape
	variables []variable
	inRange   bool
}

type variable struct {
	name string
	shape
}

// with is the scope with one variable more.
func (s scope) with(name string, value shape) scope {
	s.variables = append(slices.Clip(s.variables), variable{name, value})
	return s
}

// pipeline gives a pipeline whose value mostly fits.
func (g *generator) pipeline(want kind, s scope, depth int) (string, shape) {
	if depth <= 0 || g.chance(35) {
		text, value := g.term(want, s, depth)
		if text == "nil" && g.chance(90) {
			text = "untypedNil"
		}
		return text, value
	}
	f, ok := g.functionFor(want)
	if !ok {
		return g.term(want, s, depth)
	}
	arguments := g.arguments(f, s, depth-1)
	result := shape{kind: f.result}
	if len(arguments) > 0 && g.chance(35) {
		last := len(arguments) - 1
		piped := strings.TrimSuffix(strings.TrimPrefix(arguments[last], "("), ")")
		if strings.ContainsAny(piped, "()") {
			piped = arguments[last]
		}
		if g.chance(5) {
			return piped + "|" + strings.Join(append([]string{f.name}, arguments[:last]...), " "), result
		}
		return piped + " | " + strings.Join(append([]string{f.name}, arguments[:last]...), " "), result
	}
	return strings.Join(append([]string{f.name}, arguments...), " "), result
}

// functionFor picks a function with a result that fits. Functions that may give anything would crowd out the others.
func (g *generator) functionFor(want kind) (function, bool) {
	var candidates, anything []function
	for _, f := range vocabulary {
		switch {
		case f.sprig && !g.sprig || !fits(f.result, want):
		case f.result == "any":
			anything = append(anything, f)
		default:
			candidates = append(candidates, f)
		}
	}
	if len(candidates) == 0 || len(anything) > 0 && g.chance(12) {
		candidates = anything
	}
	if len(candidates) == 0 {
		return function{}, false
	}
	return pick(g.Rand, candidates), true
}

func fits(have, want kind) bool {
	switch want {
	case "any":
		return have != kindTime
	case "number":
		return have == kindInt || have == kindFloat || have == kindInt64
	case "sequence":
		return have == kindList || have == kindStrings || have == kindInts
	case "countable":
		return fits(have, "sequence") || have == kindDict || have == kindTextMap || have == kindIntMap
	}
	return have == want || have == "any" && want != kindTime && want != "exactlist"
}

func (g *generator) arguments(f function, s scope, depth int) []string {
	wanted := f.arguments
	if f.variadic {
		last := len(wanted) - 1
		repeated := wanted[last]
		wanted = slices.Clone(wanted[:last])
		for range g.IntN(4) {
			wanted = append(wanted, repeated)
		}
	}
	if !f.exact && g.chance(1) {
		wanted = append(slices.Clone(wanted), "any")
	}
	arguments := []string{}
	for _, want := range wanted {
		if !f.exact && g.chance(3) {
			want = pick(g.Rand, []kind{kindText, kindInt, kindFloat, kindBool, kindList, kindDict, kindNil, kindPerson, "any"})
		}
		arguments = append(arguments, g.operand(want, s, depth))
	}
	return arguments
}

// operand gives a term that can stand among arguments.
func (g *generator) operand(want kind, s scope, depth int) string {
	if want == "key" && g.chance(90) {
		return strconv.Quote(pick(g.Rand, fieldNames))
	}
	if f, ok := g.functionFor(kindTime); ok && (want == "moment" || want == "instant") && depth > 0 && g.chance(30) {
		return "(" + strings.Join(append([]string{f.name}, g.arguments(f, s, depth-1)...), " ") + ")"
	}
	if pool, ok := literals[want]; ok {
		return pick(g.Rand, pool)
	}
	switch want {
	case "key":
		want = kindText
	case "exactlist":
		return g.exactList(s)
	}
	if depth > 0 && g.chance(30) {
		text, _ := g.pipeline(want, s, depth)
		if strings.Contains(text, " ") {
			return "(" + text + ")"
		}
		return text
	}
	text, _ := g.term(want, s, depth)
	return text
}

// exactList gives a list whose capacity is its length.
func (g *generator) exactList(s scope) string {
	if paths := g.paths(kindList, scope{dot: s.dot, root: s.root}); len(paths) > 0 {
		return pick(g.Rand, paths).name
	}
	if g.sprig {
		return `(list 1 "b" 3.5)`
	}
	return `(pair 1 "b")`
}

// term gives a literal, a field, a variable, or, where there is none of the kind, a call in parentheses.
func (g *generator) term(want kind, s scope, depth int) (string, shape) {
	if g.chance(2) {
		return g.wrongPath(s), shape{kind: kindNil}
	}
	if paths := g.paths(want, s); len(paths) > 0 && g.chance(70) {
		path := pick(g.Rand, paths)
		return path.name, path.shape
	}
	if want == "any" || want == "number" || want == "sequence" || want == "countable" {
		want = pick(g.Rand, map[kind][]kind{
			"any": {kindText, kindText, kindInt, kindFloat, kindBool, kindNil}, "number": {kindInt, kindInt, kindFloat},
			"sequence": {kindList, kindStrings}, "countable": {kindList, kindDict, kindInts},
		}[want])
	}
	if text, ok := g.literal(want); ok {
		return text, shape{kind: want}
	}
	if f, ok := g.functionFor(want); ok && depth > -3 {
		call := strings.Join(append([]string{f.name}, g.arguments(f, s, depth-2)...), " ")
		return "(" + call + ")", shape{kind: f.result}
	}
	return ".", s.dot
}

// paths finds what is in reach and fits.
func (g *generator) paths(want kind, s scope) []variable {
	var found []variable
	collect := func(prefix string, from shape) {
		if fits(from.kind, want) {
			found = append(found, variable{prefix, from})
		}
		found = append(found, fieldPaths(strings.TrimSuffix(prefix, "."), from, want, 2)...)
	}
	collect(".", s.dot)
	collect("$", s.root)
	for _, v := range s.variables {
		collect("$"+v.name, v.shape)
	}
	return found
}

func fieldPaths(prefix string, from shape, want kind, depth int) []variable {
	var found []variable
	names := make([]string, 0, len(from.fields))
	for name := range from.fields {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		field := from.fields[name]
		path := prefix + "." + name
		if fits(field.kind, want) {
			found = append(found, variable{path, field})
		}
		if depth > 0 {
			found = append(found, fieldPaths(path, field, want, depth-1)...)
		}
	}
	return found
}

func (g *generator) wrongPath(s scope) string {
	paths := g.paths("any", s)
	prefix := pick(g.Rand, []string{"", "", "$"})
	if len(paths) > 0 && g.chance(50) {
		if base := pick(g.Rand, paths).name; base != "." {
			prefix = base
		}
	}
	return prefix + "." + pick(g.Rand, append([]string{"missing", "Nope", "secret"}, fieldNames...))
}

func (g *generator) literal(want kind) (string, bool) {
	switch want {
	case kindText:
		return g.textLiteral(), true
	case kindInt, kindInt64:
		if want == kindInt64 && g.sprig {
			return "(int64 " + strconv.Itoa(g.IntN(50)) + ")", true
		}
		return g.intLiteral(), true
	case kindFloat:
		return pick(g.Rand, []string{"1.5", "-0.25", "3.0", "1e3", "2.5e-3", ".5", "6.", "0x1p-2", "1_0.5", "1e21"}), true
	case kindBool:
		return pick(g.Rand, []string{"true", "false"}), true
	case kindNil:
		return "nil", true
	case kindOther:
		return pick(g.Rand, []string{"2i", "1+3i", "person.Mode", "'x'"}), true
	case kindPerson:
		return "person", true
	case kindPointer:
		return "nilPerson", true
	}
	return "", false
}

func (g *generator) textLiteral() string {
	text := pick(g.Rand, sampleTexts)
	if g.chance(12) && !strings.Contains(text, "`") {
		return "`" + text + "`"
	}
	if g.chance(8) {
		return pick(g.Rand, []string{`"\x41\u00e9"`, `"\101\t"`, `"\U0001F389"`, `"a\"b\\"`, `"\xff"`, `"{{x}}"`})
	}
	return strconv.Quote(text)
}

func (g *generator) intLiteral() string {
	n := g.IntN(20)
	switch g.IntN(14) {
	case 0:
		return fmt.Sprintf("%#x", n)
	case 1:
		return fmt.Sprintf("0o%o", n)
	case 2:
		return fmt.Sprintf("0b%b", n)
	case 3:
		return pick(g.Rand, []string{"'a'", `'\n'`, "'世'", "1_000", "017", "+3", "-4", "9223372036854775807", "9223372036854775808"})
	}
	return strconv.Itoa(n)
}

package main

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
)

// kind is what the generator knows of a value's type: enough to call most functions with arguments that fit.
type kind string

const (
	kindText    kind = "text"
	kindInt     kind = "int"
	kindInt64   kind = "int64"
	kindFloat   kind = "float"
	kindBool    kind = "bool"
	kindList    kind = "list"
	kindStrings kind = "strings"
	kindInts    kind = "ints"
	kindDict    kind = "dict"
	kindTextMap kind = "textmap"
	kindIntMap  kind = "intmap"
	kindPerson  kind = "person"
	kindPointer kind = "pointer"
	kindNil     kind = "nil"
	kindOther   kind = "other"
	kindTime    kind = "time"
)

// shape is the kind of a value and what is in it.
type shape struct {
	kind    kind
	fields  map[string]shape
	element *shape
}

// sample is a value as JSON with type tags, and its shape.
type sample struct {
	json any
	shape
}

func tagged(tag string, content any) map[string]any { return map[string]any{"$" + tag: content} }

var (
	fieldNames = []string{
		"name", "title", "count", "size", "items", "labels", "owner", "enabled", "ratio", "extra", "spec", "meta", "tags", "id",
		"Name", "Values", "port", "text", "x", "y", "next", "limits", "path", "flag", "total",
	}
	sampleTexts = []string{
		"", "a", "hello", "Hello World", "foo-bar_baz", "1", "42", "-7", "3.14", "true", "key", "name", "a,b,c", "héllo",
		"日本語", "line one\nline two", "  padded  ", "<b>\"q\" & 'r'</b>", "/etc/app/config.yaml", "a=b&c=d", "UPPER case",
		"x\ty", "100%", "2020-02-29", "v1.2.3", "🎉", "it's", "\u200b", "aGVsbG8=", "camelCaseWord",
	}
	sampleBytes  = []string{"\xff", "a\xfe\x00b", "caf\xe9", "\xed\xa0\x80"}
	sampleInts   = []int64{0, 1, 2, 3, 5, 7, 10, 42, 80, 255, 1000, 8080, -1, -5, -100, 1 << 31, 1<<63 - 1, -1 << 63}
	sampleFloats = []any{0, 1, 2, 3, 1.5, -2.5, 0.1, 1e6, 123456789, 1e21, 1e-7, 8080, 3.14159, "NaN", "+Inf", "-0"}
)

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// root makes the data of a request: mostly an object.
func (g *generator) root() sample {
	if g.chance(8) {
		return g.sample(2)
	}
	return g.dict(3, 6+g.IntN(8))
}

func (g *generator) sample(depth int) sample {
	if depth > 0 && g.chance(45) {
		return g.container(depth - 1)
	}
	switch g.IntN(16) {
	case 0, 1, 2, 3, 4:
		return sample{pick(g.Rand, sampleTexts), shape{kind: kindText}}
	case 5, 6, 7:
		return sample{tagged("int", pick(g.Rand, sampleInts)), shape{kind: kindInt}}
	case 8, 9, 10:
		return g.float()
	case 11, 12:
		return sample{g.chance(50), shape{kind: kindBool}}
	case 13:
		return sample{tagged("int64", pick(g.Rand, sampleInts)), shape{kind: kindInt64}}
	case 14:
		return g.rarity()
	}
	return sample{nil, shape{kind: kindNil}}
}

func (g *generator) float() sample {
	f := pick(g.Rand, sampleFloats)
	if _, special := f.(string); special {
		f = tagged("float64", f)
	}
	return sample{f, shape{kind: kindFloat}}
}

// rarity makes one of the values that JSON alone does not know.
func (g *generator) rarity() sample {
	bytes := tagged("bytes", base64.StdEncoding.EncodeToString([]byte(pick(g.Rand, sampleBytes))))
	switch g.IntN(9) {
	case 0, 1:
		return sample{bytes, shape{kind: kindText}}
	case 2:
		return sample{tagged("nil", pick(g.Rand, []string{"person", "list", "map", "strings", "func"})), shape{kind: kindOther}}
	case 3:
		return sample{tagged("mode", g.IntN(4)), shape{kind: kindOther}}
	case 4:
		return sample{tagged("error", "went wrong"), shape{kind: kindOther}}
	case 5:
		return sample{tagged("func", pick(g.Rand, []string{"twice", "addInts", "person", "fails", "adder"})), shape{kind: kindOther}}
	case 6:
		return sample{tagged("complex128", []any{1.5, g.IntN(3)}), shape{kind: kindOther}}
	case 7:
		return sample{tagged("float32", pick(g.Rand, []any{0.1, 1, 1e21})), shape{kind: kindOther}}
	}
	tag := pick(g.Rand, []string{"int8", "int16", "uint", "uint8", "uint64", "int32"})
	return sample{tagged(tag, g.IntN(100)), shape{kind: kindOther}}
}

func (g *generator) container(depth int) sample {
	switch g.IntN(10) {
	case 0, 1, 2:
		return g.list(depth)
	case 3, 4, 5:
		return g.dict(depth, g.IntN(5))
	case 6:
		return g.person(depth)
	case 7:
		items := []any{"string"}
		for range g.IntN(4) {
			items = append(items, pick(g.Rand, sampleTexts))
		}
		return sample{tagged("list", items), shape{kind: kindStrings, element: &shape{kind: kindText}}}
	case 8:
		items := []any{"int"}
		for range g.IntN(4) {
			items = append(items, pick(g.Rand, sampleInts))
		}
		return sample{tagged("list", items), shape{kind: kindInts, element: &shape{kind: kindInt}}}
	}
	object, fields := map[string]any{}, map[string]shape{}
	for i := range g.IntN(4) {
		if g.chance(30) {
			object[fmt.Sprint(i*3-1)] = pick(g.Rand, sampleTexts)
			continue
		}
		name := pick(g.Rand, fieldNames)
		object[name], fields[name] = pick(g.Rand, sampleTexts), shape{kind: kindText}
	}
	if len(fields) == 0 {
		return sample{tagged("intmap", object), shape{kind: kindIntMap, element: &shape{kind: kindText}}}
	}
	return sample{tagged("map", []any{"string", object}), shape{kind: kindTextMap, fields: fields, element: &shape{kind: kindText}}}
}

// list makes a list whose elements mostly look alike.
func (g *generator) list(depth int) sample {
	items := []any{}
	first := g.sample(depth)
	for i := range g.IntN(4) {
		item := first
		if i > 0 && g.chance(25) {
			item = g.sample(depth)
		} else if i > 0 && first.kind == kindText {
			item.json = pick(g.Rand, sampleTexts)
		}
		items = append(items, item.json)
	}
	return sample{items, shape{kind: kindList, element: &first.shape}}
}

func (g *generator) dict(depth, size int) sample {
	object, fields := map[string]any{}, map[string]shape{}
	var last shape
	for range size {
		name := pick(g.Rand, fieldNames)
		field := g.sample(depth)
		object[name], fields[name], last = field.json, field.shape, field.shape
	}
	return sample{object, shape{kind: kindDict, fields: fields, element: &last}}
}

// personFields are the fields of every person, and the methods that need no argument.
var personFields = map[string]shape{
	"Name": {kind: kindText}, "Age": {kind: kindInt}, "Height": {kind: kindFloat}, "Greeting": {kind: kindText},
	"Mode": {kind: kindOther}, "Numbers": {kind: kindInts, element: &shape{kind: kindInt}},
	"Tags": {kind: kindTextMap, element: &shape{kind: kindText}},
}

func (g *generator) person(depth int) sample {
	fields := map[string]any{
		"Name": pick(g.Rand, sampleTexts), "Age": g.IntN(100), "Height": 1.75, "Mode": g.IntN(3),
		"Tags": map[string]any{"key": "v", "name": "w"}, "Numbers": []any{1, 2, 3}[:g.IntN(4)],
	}
	result := shape{kind: kindPerson, fields: personFields}
	if depth > 0 && g.chance(50) {
		fields["Friend"] = g.person(0).json
		if tag, _, _ := tagOf(fields["Friend"]); tag != "$ptr" {
			fields["Friend"] = tagged("ptr", fields["Friend"])
		}
		extended := map[string]shape{"Friend": {kind: kindPointer, fields: personFields}}
		for name, field := range personFields {
			extended[name] = field
		}
		result.fields = extended
	}
	if g.chance(30) {
		fields["Limit"] = g.IntN(50)
	}
	if g.chance(30) {
		fields["Extra"] = g.sample(0).json
	}
	person := tagged("person", fields)
	if g.chance(40) {
		result.kind = kindPointer
		person = tagged("ptr", person)
	}
	return sample{person, result}
}

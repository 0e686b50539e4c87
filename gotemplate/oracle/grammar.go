package main

import (
	"fmt"
	"strings"
)

// templateText makes a whole template: definitions and nodes.
func (g *generator) templateText(root shape) string {
	var text strings.Builder
	s := scope{dot: root, root: root}
	g.defined = nil
	for i := range g.IntN(3) {
		if g.chance(45) {
			text.WriteString(g.definition(fmt.Sprintf("part%d", i), root))
		}
	}
	g.nodes(&text, s, 3, 2+g.IntN(4))
	return text.String()
}

func (g *generator) definition(name string, root shape) string {
	inside := scope{dot: root, root: root}
	if g.chance(30) {
		other := shape{kind: kindText}
		inside = scope{dot: other, root: other}
	}
	var text strings.Builder
	text.WriteString(g.action(`define "` + name + `"`))
	g.nodes(&text, inside, 1, 1+g.IntN(2))
	text.WriteString(g.action("end"))
	g.defined = append(g.defined, definition{name, inside.dot.kind})
	return text.String()
}

type definition struct {
	name string
	dot  kind
}

// nodes writes some nodes, one after the other; the variables that they declare live to the end.
func (g *generator) nodes(text *strings.Builder, s scope, depth, count int) {
	for range count {
		s = g.node(text, s, depth)
	}
}

func (g *generator) node(text *strings.Builder, s scope, depth int) scope {
	choice := g.IntN(100)
	switch {
	case choice < 16:
		text.WriteString(pick(g.Rand, plainTexts))
	case choice < 44 || depth == 0:
		expression, _ := g.pipeline(pick(g.Rand, []kind{"any", kindText, kindText, kindInt, kindBool, kindList, kindFloat, kindDict, kindTime}), s, depth)
		text.WriteString(g.action(expression))
	case choice < 56:
		g.conditional(text, s, depth)
	case choice < 70:
		g.loop(text, s, depth)
	case choice < 78:
		g.with(text, s, depth)
	case choice < 89:
		return g.declaration(text, s, depth)
	case choice < 91:
		text.WriteString(pick(g.Rand, comments))
	case choice < 95:
		g.call(text, s)
	case choice < 97 && s.inRange:
		expression, _ := g.pipeline(kindBool, s, 1)
		text.WriteString(g.action("if "+expression) + g.action(pick(g.Rand, []string{"break", "continue"})) + g.action("end"))
	case choice < 98:
		g.block(text, s, depth)
	}
	return s
}

var (
	plainTexts = []string{"text ", "\n", "a: ", " - ", "\n  ", "{ x }", "é→", "end.", "\t", "=", ", ", "\"quoted\"", "line\nline\n", "$5 "}
	comments   = []string{"{{/* note */}}", "{{- /* {{.x}} */ -}}", "{{/**/}}", " {{- /* over\nlines */}}\n", "{{/* b */ -}} "}
)

// action sets delimiters, now and then with trim markers.
func (g *generator) action(inside string) string {
	left, right := "{{", "}}"
	switch {
	case g.chance(12):
		left = "{{- "
	case g.chance(20):
		left = "{{ "
	}
	switch {
	case g.chance(12):
		right = " -}}"
	case g.chance(20):
		right = " }}"
	}
	return left + inside + right
}

func (g *generator) conditional(text *strings.Builder, s scope, depth int) {
	condition, _ := g.pipeline(pick(g.Rand, []kind{kindBool, kindBool, "any"}), s, depth)
	inside := s
	if g.chance(10) {
		name := g.newName()
		condition = "$" + name + " := " + condition
		inside = s.with(name, shape{kind: "any"})
	}
	text.WriteString(g.action("if " + condition))
	g.nodes(text, inside, depth-1, 1+g.IntN(2))
	if g.chance(20) {
		condition, _ = g.pipeline(kindBool, inside, depth-1)
		text.WriteString(g.action("else if " + condition))
		g.nodes(text, inside, depth-1, 1)
	}
	g.orElse(text, inside, depth)
	text.WriteString(g.action("end"))
}

func (g *generator) orElse(text *strings.Builder, s scope, depth int) {
	if g.chance(45) {
		text.WriteString(g.action("else"))
		g.nodes(text, s, depth-1, 1)
	}
}

func (g *generator) loop(text *strings.Builder, s scope, depth int) {
	over, value := g.pipeline("countable", s, depth-1)
	if g.chance(8) {
		over, value = pick(g.Rand, []string{"3", "0", "2"}), shape{kind: kindInt, element: &shape{kind: kindInt}}
	}
	inside := s
	inside.dot, inside.inRange = shape{kind: "any"}, true
	if value.element != nil {
		inside.dot = *value.element
	}
	key := shape{kind: kindInt}
	if value.kind == kindDict || value.kind == kindTextMap {
		key.kind = kindText
	}
	switch g.IntN(10) {
	case 0, 1, 2:
		name, index := g.newName(), g.newName()
		over = fmt.Sprintf("$%s, $%s := %s", index, name, over)
		inside = inside.with(index, key).with(name, inside.dot)
	case 3, 4:
		name := g.newName()
		over = fmt.Sprintf("$%s := %s", name, over)
		inside = inside.with(name, inside.dot)
	}
	text.WriteString(g.action("range " + over))
	g.nodes(text, inside, depth-1, 1+g.IntN(3))
	g.orElse(text, s, depth)
	text.WriteString(g.action("end"))
}

func (g *generator) with(text *strings.Builder, s scope, depth int) {
	expression, value := g.pipeline(pick(g.Rand, []kind{"any", kindDict, kindPerson, kindPointer, kindText}), s, depth-1)
	inside := s
	inside.dot = value
	if g.chance(25) {
		name := g.newName()
		expression = "$" + name + " := " + expression
		inside = inside.with(name, value)
	}
	text.WriteString(g.action("with " + expression))
	g.nodes(text, inside, depth-1, 1+g.IntN(2))
	if g.chance(15) {
		expression, value = g.pipeline("any", s, depth-1)
		inside.dot = value
		text.WriteString(g.action("else with " + expression))
		g.nodes(text, inside, depth-1, 1)
	}
	g.orElse(text, s, depth)
	text.WriteString(g.action("end"))
}

// declaration declares a variable or assigns to one, rarely to one that is not there.
func (g *generator) declaration(text *strings.Builder, s scope, depth int) scope {
	expression, value := g.pipeline(pick(g.Rand, []kind{"any", kindText, kindInt, kindList, kindDict, kindBool}), s, depth)
	if len(s.variables) > 0 && g.chance(35) {
		text.WriteString(g.action("$" + pick(g.Rand, s.variables).name + " = " + expression))
		return s
	}
	if g.chance(2) {
		text.WriteString(g.action("$undeclared = " + expression))
		return s
	}
	name := g.newName()
	text.WriteString(g.action("$" + name + " := " + expression))
	return s.with(name, value)
}

func (g *generator) newName() string {
	return pick(g.Rand, []string{"a", "b", "v", "item", "key", "i", "é"})
}

func (g *generator) call(text *strings.Builder, s scope) {
	if len(g.defined) == 0 || g.chance(4) {
		if g.chance(15) {
			text.WriteString(g.action(`template "missing" .`))
		}
		return
	}
	part := pick(g.Rand, g.defined)
	argument := "$"
	if part.dot == kindText || g.chance(15) {
		argument = g.operand(kindText, s, 1)
	}
	if g.chance(6) {
		argument = ""
	}
	text.WriteString(g.action(strings.TrimSpace(`template "` + part.name + `" ` + argument)))
}

func (g *generator) block(text *strings.Builder, s scope, depth int) {
	expression, value := g.pipeline("any", s, 1)
	text.WriteString(g.action(fmt.Sprintf(`block "block%d" %s`, g.IntN(1000), expression)))
	g.nodes(text, scope{dot: value, root: value}, depth-1, 1)
	text.WriteString(g.action("end"))
}

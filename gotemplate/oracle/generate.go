package main

import (
	"bufio"
	"encoding/json"
	"io"
	"math/rand/v2"
	"regexp"
	"strings"
)

// generator makes random requests. All that it does follows from its seed.
type generator struct {
	*rand.Rand
	sprig   bool
	defined []definition
}

func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

// generate writes random requests, one JSON a line. About half of them succeed in Go, no error comes up too often, and
// Go answers each the same way every time.
func generate(w io.Writer, seed uint64, count int) error {
	out := bufio.NewWriter(w)
	lines := plainEncoder(out)
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0))}
	chosen := selection{classes: map[string]int{}, count: count}
	var s supervisor
	defer s.stop()
	for chosen.successes+chosen.failures < count {
		request, err := g.request()
		if err != nil {
			return err
		}
		if !chosen.accepts(s.answer(workOrder{Request: request, Stable: true})) {
			continue
		}
		if err := lines.Encode(request); err != nil {
			return err
		}
	}
	return out.Flush()
}

func (g *generator) request() (Request, error) {
	g.sprig = g.chance(60)
	root := g.root()
	text := g.templateText(root.shape)
	for strings.Count(text, "{{") < 3 {
		text += g.templateText(root.shape)
	}
	request := Request{Sprig: g.sprig}
	if g.chance(14) && repeatable(text) {
		text = g.mutate(text)
	}
	if g.chance(6) {
		text = strings.NewReplacer("{{", "<<", "}}", ">>").Replace(text)
		request.Delimiters = []string{"<<", ">>"}
	}
	if g.chance(12) {
		request.MissingKey = pick(g.Rand, []string{"error", "zero", "default", "invalid"})
	}
	if len(g.defined) > 0 && g.chance(15) {
		request.More = []NamedText{{Name: g.defined[0].name, Text: []byte(pick(g.Rand, []string{"other {{.}}", " ", "{{/* none */}}", "x{{end}}"}))}}
	}
	request.Template = []byte(text)
	raw, err := json.Marshal(root.json)
	request.Data = raw
	return request, err
}

// repeatable says that no function is called whose answer would depend on the clock, or on the capacity of a slice, if
// its arguments were other ones.
func repeatable(text string) bool {
	return !strings.Contains(strings.ToLower(text), "date") && !strings.Contains(text, "duration") && !strings.Contains(text, "slice")
}

// mutate breaks a template in one place.
func (g *generator) mutate(text string) string {
	at := g.IntN(len(text))
	switch g.IntN(4) {
	case 0:
		return text[:at] + text[at+1:]
	case 1:
		return text[:at] + pick(g.Rand, []string{"{{", "}}", "(", ")", "|", "\"", "`", "'", ".", "$", "-", "1", " end ", ":=", ",", "\n", "{{end}}", "{{else}}", "x"}) + text[at:]
	case 2:
		return text[:at]
	}
	other := g.IntN(len(text))
	low, high := min(at, other), max(at, other)
	return text[:low] + text[min(low+1+(high-low)/8, len(text)):]
}

// selection keeps the requests that were chosen in balance.
type selection struct {
	successes, failures int
	classes             map[string]int
	count               int
}

func (s *selection) accepts(answer Answer) bool {
	if answer.Stage == stageSkipped || answer.Unstable {
		return false
	}
	if answer.Stage == "" {
		if s.successes > s.failures+s.count/20+2 {
			return false
		}
		s.successes++
		return true
	}
	class := errorClass(answer.Error)
	if s.failures > s.successes+s.count/20+2 || s.classes[class] > s.count/50 {
		return false
	}
	s.classes[class]++
	s.failures++
	return true
}

var (
	position = regexp.MustCompile(`^template: [^:]*:\d+(:\d+)?: (executing ".*?" at <.*?>: )?`)
	specific = regexp.MustCompile(`"[^"]*"|<[^>]*>|[-+0-9.]+|(calling|for|field) \w+`)
)

// errorClass is an error without what differs from template to template.
func errorClass(message string) string {
	return specific.ReplaceAllString(position.ReplaceAllString(message, ""), "_$1")
}

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"text/template"
	"unicode/utf8"
)

const (
	mainTemplate = "test"
	outputLimit  = 1 << 20
)

// The stages at which a rendering can end. None of them means success.
const (
	stageParse   = "parse"
	stageExecute = "execute"
	stageSkipped = "skipped"
)

// Request is one rendering: the main template, further ones of the same set, data and settings.
type Request struct {
	Template   []byte          `json:"template"`
	More       []NamedText     `json:"more,omitempty"`
	Data       json.RawMessage `json:"data,omitempty"`
	Sprig      bool            `json:"sprig,omitempty"`
	Delimiters []string        `json:"delimiters,omitempty"`
	MissingKey string          `json:"missingkey,omitempty"`
}

// NamedText is a template beside the main one, written `[NAME, BASE64]`.
type NamedText struct {
	Name string
	Text []byte
}

// MarshalJSON writes the pair.
func (n NamedText) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{n.Name, n.Text})
}

// UnmarshalJSON reads the pair.
func (n *NamedText) UnmarshalJSON(raw []byte) error {
	pair := []any{&n.Name, &n.Text}
	if err := json.Unmarshal(raw, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return fmt.Errorf("a further template is a pair of name and text, not %d items", len(pair))
	}
	return nil
}

// Answer is what Go made of a request. ErrorBytes is there only where the error is not UTF-8, which JSON cannot carry.
type Answer struct {
	Output     []byte `json:"output"`
	Error      string `json:"error"`
	ErrorBytes []byte `json:"errorBytes,omitempty"`
	Stage      string `json:"stage"`
	Unstable   bool   `json:"unstable,omitempty"`
}

func failed(stage string, output []byte, err error) Answer {
	answer := Answer{Output: output, Error: err.Error(), Stage: stage}
	if !utf8.ValidString(answer.Error) {
		answer.ErrorBytes = []byte(answer.Error)
	}
	return answer
}

func skipped(why string, values ...any) Answer {
	return Answer{Output: []byte{}, Error: fmt.Sprintf(why, values...), Stage: stageSkipped}
}

// render answers a request.
func (r run) render(request *Request) Answer {
	data, err := r.decode(request.Data)
	if err != nil {
		return skipped("data: %v", err)
	}
	return r.renderWith(request, data)
}

// renderWith answers a request whose data is decoded. What Go itself answers by a panic, or with too much output, is
// skipped.
func (r run) renderWith(request *Request, data any) (answer Answer) {
	defer func() {
		if problem := recover(); problem != nil {
			answer = skipped("panic: %v", problem)
		}
	}()
	set, err := r.parse(request)
	if err != nil {
		return failed(stageParse, []byte{}, err)
	}
	output := limitedBuffer{Buffer: bytes.NewBuffer([]byte{})}
	err = set.Execute(output, data)
	switch {
	case errors.Is(err, errTooMuchOutput):
		return skipped("%v", err)
	case err != nil:
		return failed(stageExecute, output.Bytes(), err)
	}
	return Answer{Output: output.Bytes()}
}

func (r run) parse(request *Request) (*template.Template, error) {
	set := template.New(mainTemplate).Funcs(r.functions(request.Sprig))
	if len(request.Delimiters) == 2 {
		set.Delims(request.Delimiters[0], request.Delimiters[1])
	}
	if request.MissingKey != "" {
		set.Option("missingkey=" + request.MissingKey)
	}
	if _, err := set.Parse(string(request.Template)); err != nil {
		return nil, err
	}
	for _, further := range request.More {
		if _, err := set.New(further.Name).Parse(string(further.Text)); err != nil {
			return nil, err
		}
	}
	return set, nil
}

// stableRuns is how often a rendering is repeated before its answer counts as repeatable.
const stableRuns = 4

// renderStable renders several times, and says if the answers differ. The data of all runs is alive together, so that no
// address is used twice.
func renderStable(request *Request) Answer {
	var first Answer
	held := make([]any, stableRuns)
	for r := range run(stableRuns) {
		data, err := r.decode(request.Data)
		if err != nil {
			return skipped("data: %v", err)
		}
		held[r] = data
		answer := r.renderWith(request, data)
		if r == 0 {
			first = answer
		} else if !first.equals(answer) {
			first.Unstable = true
			break
		}
	}
	runtime.KeepAlive(held)
	return first
}

func (a Answer) equals(b Answer) bool {
	return a.Stage == b.Stage && a.Error == b.Error && bytes.Equal(a.Output, b.Output)
}

var errTooMuchOutput = fmt.Errorf("more than %d bytes of output", outputLimit)

// limitedBuffer refuses to grow past the limit.
type limitedBuffer struct{ *bytes.Buffer }

func (b limitedBuffer) Write(text []byte) (int, error) {
	if b.Len()+len(text) > outputLimit {
		return 0, errTooMuchOutput
	}
	return b.Buffer.Write(text)
}

func (a Answer) errorText() []byte {
	if a.ErrorBytes != nil {
		return a.ErrorBytes
	}
	return []byte(a.Error)
}

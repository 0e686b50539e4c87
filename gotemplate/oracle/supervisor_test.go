package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

// A supervisor starts its own program as the worker, which here is the test.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == workerCommand {
		main()
		return
	}
	os.Exit(m.Run())
}

func answers(t *testing.T, templates ...string) []Answer {
	t.Helper()
	var in, out bytes.Buffer
	for _, text := range templates {
		if err := json.NewEncoder(&in).Encode(Request{Template: []byte(text), Sprig: true}); err != nil {
			t.Fatal(err)
		}
	}
	if err := serve(&in, &out); err != nil {
		t.Fatal(err)
	}
	var all []Answer
	decoder := json.NewDecoder(&out)
	for decoder.More() {
		var answer Answer
		if err := decoder.Decode(&answer); err != nil {
			t.Fatal(err)
		}
		all = append(all, answer)
	}
	return all
}

func TestRecursionEndsAtTheDepthLimit(t *testing.T) {
	answer := answers(t, `{{define "x"}}{{template "x"}}{{end}}{{template "x"}}`)[0]
	if answer.Stage != stageExecute || !strings.Contains(answer.Error, "exceeded maximum template depth (100000)") {
		t.Errorf("got %+v", answer)
	}
}

func TestWhatEndsAWorkerIsSkippedAndTheNextRequestAnswered(t *testing.T) {
	blocks := strings.Repeat("{{if true}}", 300) + `{{template "x"}}` + strings.Repeat("{{end}}", 300)
	// It overflows the stack, or takes too long to get there.
	const either = ""
	deadly := map[string]string{
		fmt.Sprintf(`{{define "x"}}%s{{end}}{{template "x"}}`, blocks): either,
		`{{range 1000000000000}}{{end}}`:                               "no answer within 2s",
		`{{repeat 20000000000 "x"}}`:                                   "fatal error: out of memory",
		`{{range 200000}}more than enough{{end}}`:                      "more than 1048576 bytes of output",
	}
	for text, reason := range deadly {
		got := answers(t, text, "alive")
		if len(got) != 2 || got[0].Stage != stageSkipped || !strings.HasPrefix(got[0].Error, reason) {
			t.Errorf("%.40s: got %+v", text, got)
		} else if string(got[1].Output) != "alive" {
			t.Errorf("%.40s: the next answer is %+v", text, got[1])
		}
	}
}

func TestGarbageIsSkipped(t *testing.T) {
	var out bytes.Buffer
	if err := serve(strings.NewReader("{\"template\": 5}\n\nnonsense\n{\"template\":\"eA==\",\"data\":{\"$odd\":1}}"), &out); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), `"stage":"skipped"`); n != 3 {
		t.Errorf("%d of 3 requests were skipped: %s", n, out.String())
	}
}

func TestAddressesAreUnstable(t *testing.T) {
	unstable := []string{`{{printf "%p" (list 1)}}`, `{{printf "%v" (adder 1)}}`, `{{list (adder 1)}}`}
	for _, text := range unstable {
		if answer := renderStable(&Request{Template: []byte(text), Sprig: true}); !answer.Unstable {
			t.Errorf("%s: got %+v", text, answer)
		}
	}
}

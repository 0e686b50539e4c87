package main

import (
	"fmt"
	"io"
	"os"
	"testing"
	"text/template"
)

// bench times the parsing and the execution of a template, and writes both in nanoseconds per operation.
func bench(w io.Writer, templatePath, dataPath string, withSprig bool) error {
	text, err := os.ReadFile(templatePath)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(dataPath)
	if err != nil {
		return err
	}
	request := Request{Template: text, Data: raw, Sprig: withSprig}
	data, err := run(0).decode(raw)
	if err != nil {
		return err
	}
	set, err := run(0).parse(&request)
	if err != nil {
		return err
	}
	if err := set.Execute(io.Discard, data); err != nil {
		return err
	}
	// Functions are registered once, outside of what is timed.
	base := template.New(mainTemplate).Funcs(run(0).functions(withSprig))
	parsing := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			if _, err := base.New(mainTemplate).Parse(string(text)); err != nil {
				b.Fatal(err)
			}
		}
	})
	execution := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			if err := set.Execute(io.Discard, data); err != nil {
				b.Fatal(err)
			}
		}
	})
	_, err = fmt.Fprintf(w, "parse %d\nexecute %d\n", parsing.NsPerOp(), execution.NsPerOp())
	return err
}

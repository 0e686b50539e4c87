package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// golden writes the golden file of every file of cases in a folder, or, when it only checks, reports the cases whose
// golden text is not what Go says now.
func golden(folder string, checkOnly bool) error {
	paths, err := filepath.Glob(filepath.Join(folder, "*.cases"))
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return fmt.Errorf("no .cases files in %s", folder)
	}
	var problems []error
	for _, path := range paths {
		if err := goldenFile(path, checkOnly); err != nil {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

func goldenFile(path string, checkOnly bool) error {
	cases, err := readCases(path)
	if err != nil {
		return err
	}
	var problems []error
	var content bytes.Buffer
	wanted := make([][]byte, 0, len(cases))
	for i := range cases {
		text, err := goldenCase(&cases[i])
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %s: %w", path, cases[i].Name, err))
		}
		wanted = append(wanted, text)
		content.Write(text)
	}
	if len(problems) > 0 {
		return errors.Join(problems...)
	}
	target := strings.TrimSuffix(path, ".cases") + ".golden"
	if !checkOnly {
		return os.WriteFile(target, content.Bytes(), 0o644)
	}
	found, err := os.ReadFile(target)
	if err != nil || bytes.Equal(found, content.Bytes()) {
		return err
	}
	return staleCases(target, found, wanted)
}

// staleCases names the cases that are not in a golden file just so, and those that should not be there.
func staleCases(path string, found []byte, wanted [][]byte) error {
	old := map[string]bool{}
	for _, block := range blocks(found, "=== ")[1:] {
		old["=== "+string(block)+"\n"] = true
	}
	var problems []error
	names := map[string]bool{}
	for _, text := range wanted {
		name := caseName(string(text))
		names[name] = true
		if !old[string(text)] {
			problems = append(problems, fmt.Errorf("%s: stale: %s", path, name))
		}
	}
	for text := range old {
		if name := caseName(text); !names[name] {
			problems = append(problems, fmt.Errorf("%s: left over: %s", path, name))
		}
	}
	if len(problems) == 0 {
		problems = append(problems, fmt.Errorf("%s: cases are in another order", path))
	}
	return errors.Join(problems...)
}

func caseName(block string) string {
	line, _, _ := strings.Cut(block, "\n")
	return strings.TrimPrefix(line, "=== ")
}

func goldenCase(c *Case) ([]byte, error) {
	answer := renderStable(&c.Request)
	switch {
	case answer.Unstable:
		return nil, errors.New("not the same in every run")
	case answer.Stage == stageSkipped:
		return nil, errors.New(answer.Error)
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, "=== %s\n", c.Name)
	if answer.Stage == "" || len(answer.Output) > 0 {
		fmt.Fprintf(&text, "--- output\n%s\n", answer.Output)
	}
	if answer.Stage != "" {
		fmt.Fprintf(&text, "--- error %s\n%s\n", answer.Stage, answer.errorText())
	}
	if markers(text.Bytes(), "=== ") > 1 || markers(text.Bytes(), "--- ") > 2 {
		return nil, errors.New("the output has a line that reads like a marker")
	}
	return text.Bytes(), nil
}

func markers(text []byte, marker string) int {
	return len(blocks(text, marker)) - 1
}

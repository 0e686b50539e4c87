package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// Case is one case of a corpus file: a name and what to render.
type Case struct {
	Name    string
	Request Request
}

// readCases reads a `.cases` file.
func readCases(path string) ([]Case, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var cases []Case
	seen := map[string]bool{}
	for number, block := range blocks(content, "=== ") {
		name, body, _ := bytes.Cut(block, []byte("\n"))
		if number == 0 {
			if len(bytes.TrimSpace(block)) > 0 {
				return nil, fmt.Errorf("%s: text before the first case", path)
			}
			continue
		}
		if seen[string(name)] {
			return nil, fmt.Errorf("%s: two cases are called %q", path, name)
		}
		seen[string(name)] = true
		request, err := parseCase(body)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", path, name, err)
		}
		cases = append(cases, Case{Name: string(name), Request: request})
	}
	return cases, nil
}

// blocks cuts content at the lines that start with a marker. The first block is what stands before the first of them,
// the others begin behind the marker; the line end before a marker belongs to none.
func blocks(content []byte, marker string) [][]byte {
	content = bytes.TrimSuffix(content, []byte("\n"))
	cut := bytes.Split(append([]byte("\n"), content...), []byte("\n"+marker))
	cut[0] = bytes.TrimPrefix(cut[0], []byte("\n"))
	return cut
}

func parseCase(body []byte) (Request, error) {
	var request Request
	hasTemplate := false
	for number, section := range blocks(append(body, '\n'), "--- ") {
		if number == 0 {
			if err := parseOptions(string(section), &request); err != nil {
				return request, err
			}
			continue
		}
		title, text, _ := bytes.Cut(section, []byte("\n"))
		name, further := strings.CutPrefix(string(title), "template ")
		switch {
		case further:
			request.More = append(request.More, NamedText{Name: name, Text: text})
		case string(title) == "template" && !hasTemplate:
			request.Template, hasTemplate = text, true
		case string(title) == "data" && request.Data == nil:
			request.Data = text
		default:
			return request, fmt.Errorf("section %q is unknown or there twice", title)
		}
	}
	if !hasTemplate {
		return request, fmt.Errorf("no template")
	}
	return request, nil
}

func parseOptions(lines string, request *Request) error {
	if lines == "" {
		return nil
	}
	for line := range strings.SplitSeq(lines, "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) == 2 && line == "option: sprig":
			request.Sprig = true
		case len(words) == 4 && words[0] == "option:" && words[1] == "delimiters":
			request.Delimiters = words[2:]
		case len(words) == 3 && words[0] == "option:" && words[1] == "missingkey":
			request.MissingKey = words[2]
		default:
			return fmt.Errorf("unknown line %q", line)
		}
	}
	return nil
}

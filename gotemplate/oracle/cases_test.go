package main

import (
	"reflect"
	"testing"
)

func TestBlocksKeepEveryByteButTheLineEndBeforeAMarker(t *testing.T) {
	cases := map[string][]string{
		"":                            {""},
		"--- a\n":                     {"", "a"},
		"--- a\n\n":                   {"", "a\n"},
		"--- a\nx\n--- b\n\n--- c\ny": {"", "a\nx", "b\n", "c\ny"},
		"x\n --- a\n---b\n":           {"x\n --- a\n---b"},
	}
	for content, want := range cases {
		var got []string
		for _, block := range blocks([]byte(content), "--- ") {
			got = append(got, string(block))
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %q, want %q", content, got, want)
		}
	}
}

func TestCaseWithEverything(t *testing.T) {
	body := "option: sprig\noption: delimiters << >>\noption: missingkey zero\n--- template\na\n\n--- template other\nb\n--- data\n1"
	got, err := parseCase([]byte(body))
	want := Request{
		Template: []byte("a\n"), More: []NamedText{{"other", []byte("b")}}, Data: []byte("1"),
		Sprig: true, Delimiters: []string{"<<", ">>"}, MissingKey: "zero",
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestWrongCases(t *testing.T) {
	for _, body := range []string{"", "option: odd\n--- template\n", "--- odd\n--- template\n", "--- template\n--- template\n", "--- data\n1"} {
		if request, err := parseCase([]byte(body)); err == nil {
			t.Errorf("%q: got %+v", body, request)
		}
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"testing"
)

func TestGeneratedRequestsAreRepeatableAndBalanced(t *testing.T) {
	const count = 200
	var first, second bytes.Buffer
	if err := generate(&first, 7, count); err != nil {
		t.Fatal(err)
	}
	if err := generate(&second, 7, count); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("one seed gives two lists of requests")
	}
	decoder := json.NewDecoder(&first)
	successes, size := 0, 0
	for decoder.More() {
		var request Request
		if err := decoder.Decode(&request); err != nil {
			t.Fatal(err)
		}
		size += len(request.Template)
		if run(0).render(&request).Stage == "" {
			successes++
		}
	}
	if successes < count*2/5 || successes > count*3/5 {
		t.Errorf("%d of %d requests succeed", successes, count)
	}
	if mean := size / count; mean < 100 || mean > 400 {
		t.Errorf("a template has %d bytes on average", mean)
	}
}

func TestVocabularyNamesKindsOrPools(t *testing.T) {
	known := map[kind]bool{"any": true, "number": true, "sequence": true, "key": true, "exactlist": true}
	for _, k := range []kind{
		kindText, kindInt, kindInt64, kindFloat, kindBool, kindList, kindStrings, kindInts, kindDict, kindTextMap, kindPerson, kindPointer,
		kindNil, kindOther, kindTime,
	} {
		known[k] = true
	}
	functions := run(0).functions(true)
	for _, f := range vocabulary {
		for _, k := range append(f.arguments, f.result) {
			if _, isPool := literals[k]; !known[k] && !isPool {
				t.Errorf("%s: %s is neither a kind nor a pool", f.name, k)
			}
		}
		if functions[f.name] == nil && f.sprig {
			t.Errorf("%s is no function of sprig", f.name)
		}
	}
}

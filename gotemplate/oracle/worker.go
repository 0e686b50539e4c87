package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"syscall"
)

const (
	workerCommand = "worker"
	// memoryLimit ends a worker before it eats the machine: room for a stack of one gigabyte, and for it to grow by
	// being copied.
	memoryLimit = 6 << 30
)

// work answers requests in this very process, which a template may bring down. Only a supervisor starts it.
func work(in io.Reader, out io.Writer) error {
	limit := syscall.Rlimit{Cur: memoryLimit, Max: memoryLimit}
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &limit); err != nil {
		return err
	}
	requests, answers := bufio.NewReader(in), plainEncoder(out)
	for {
		line, err := requests.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var order workOrder
		if err := json.Unmarshal(line, &order); err != nil {
			return err
		}
		var answer Answer
		if order.Stable {
			answer = renderStable(&order.Request)
		} else {
			answer = run(0).render(&order.Request)
		}
		if err := answers.Encode(answer); err != nil {
			return err
		}
	}
}

// workOrder is a request, and whether to find out if its answer is repeatable.
type workOrder struct {
	Request Request
	Stable  bool
}

// plainEncoder leaves the characters of HTML as they are.
func plainEncoder(w io.Writer) *json.Encoder {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder
}

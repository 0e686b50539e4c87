package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

const patience = 2 * time.Second

// serve answers requests, one JSON a line, whatever becomes of them.
func serve(in io.Reader, out io.Writer) error {
	requests, answers := bufio.NewReader(in), plainEncoder(out)
	var s supervisor
	defer s.stop()
	for {
		line, err := requests.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			if err := answers.Encode(s.answerLine(line)); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// supervisor has a worker process render, and replaces it when it dies or takes too long. The zero value is ready.
type supervisor struct {
	process *exec.Cmd
	in      io.WriteCloser
	answers chan Answer
	last    *lastWords
}

func (s *supervisor) answerLine(line []byte) Answer {
	var order workOrder
	if err := json.Unmarshal(line, &order.Request); err != nil {
		return skipped("request: %v", err)
	}
	return s.answer(order)
}

func (s *supervisor) answer(order workOrder) Answer {
	if s.process == nil {
		if err := s.start(); err != nil {
			return skipped("worker: %v", err)
		}
	}
	if err := plainEncoder(s.in).Encode(order); err != nil {
		s.stop()
		return skipped("worker: %v", err)
	}
	select {
	case answer, ok := <-s.answers:
		if !ok {
			s.stop()
			return skipped("%s", s.last.reason())
		}
		return answer
	case <-time.After(patience):
		s.stop()
		return skipped("no answer within %v", patience)
	}
}

func (s *supervisor) start() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	process := exec.Command(self, workerCommand)
	s.last = &lastWords{}
	process.Stderr = s.last
	in, err := process.StdinPipe()
	if err != nil {
		return err
	}
	out, err := process.StdoutPipe()
	if err != nil {
		return err
	}
	if err := process.Start(); err != nil {
		return err
	}
	answers := make(chan Answer, 1)
	go relay(out, answers)
	s.process, s.in, s.answers = process, in, answers
	return nil
}

func relay(out io.Reader, answers chan<- Answer) {
	defer close(answers)
	decoder := json.NewDecoder(out)
	for {
		var answer Answer
		if decoder.Decode(&answer) != nil {
			return
		}
		answers <- answer
	}
}

func (s *supervisor) stop() {
	if s.process == nil {
		return
	}
	// It may be dead, which is as good.
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
	s.process = nil
}

// lastWords keeps the beginning of what a worker says before it dies.
type lastWords struct{ text []byte }

const lastWordsLimit = 4096

func (l *lastWords) Write(text []byte) (int, error) {
	l.text = append(l.text, text[:min(len(text), lastWordsLimit-len(l.text))]...)
	return len(text), nil
}

func (l *lastWords) reason() string {
	for line := range strings.Lines(string(l.text)) {
		if strings.HasPrefix(line, "fatal error: ") || strings.HasPrefix(line, "panic: ") {
			return strings.TrimSpace(line)
		}
	}
	return fmt.Sprintf("the worker died: %.200q", l.text)
}

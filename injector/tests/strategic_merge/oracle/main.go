// Command oracle merges as kubectl does, for machines that have no kubectl: by the same function of Kubernetes.
//
// Each line of the input is {"pod": …, "patch": …}; the line of the output that answers it is {"pod": …}, or
// {"error": …} where Kubernetes refuses the patch.
package main

import (
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

type request struct {
	Pod   json.RawMessage `json:"pod"`
	Patch json.RawMessage `json:"patch"`
}

type answer struct {
	Pod   json.RawMessage `json:"pod,omitempty"`
	Error string          `json:"error,omitempty"`
}

func main() {
	requests, answers := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var asked request
		if err := requests.Decode(&asked); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			log.Fatalf("reading a request: %v", err)
		}
		if err := answers.Encode(merge(asked)); err != nil {
			log.Fatalf("writing an answer: %v", err)
		}
	}
}

func merge(asked request) answer {
	merged, err := strategicpatch.StrategicMergePatch(asked.Pod, asked.Patch, corev1.Pod{})
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Pod: merged}
}

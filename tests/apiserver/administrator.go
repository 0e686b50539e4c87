package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"time"
)

// A client that may do everything.
type administrator struct {
	client http.Client
}

func newAdministrator(authority *authority, client pair) (*administrator, error) {
	certificate, err := tls.X509KeyPair(client.certificate, client.key)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(authority.parsed)
	configuration := &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{certificate}}
	transport := &http.Transport{TLSClientConfig: configuration, DisableKeepAlives: true}
	return &administrator{http.Client{Transport: transport, Timeout: 5 * time.Second}}, nil
}

// The server says that it is ready a moment before it has made the namespace `default`.
func (administrator *administrator) waitUntilReady(context context.Context, address string) error {
	for _, path := range []string{"/readyz", "/api/v1/namespaces/default"} {
		for {
			err := administrator.get(context, address+path)
			if err == nil {
				break
			}
			select {
			case <-context.Done():
				return fmt.Errorf("kube-apiserver was not ready within %v: %w", startPatience, err)
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	return nil
}

func (administrator *administrator) get(context context.Context, address string) error {
	request, err := http.NewRequestWithContext(context, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	response, err := administrator.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", address, response.Status)
	}
	return nil
}

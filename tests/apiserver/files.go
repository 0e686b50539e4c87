package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// The port of a former run from this folder, or a free one, which is written down for the next run.
func rememberedPort(address net.IP) (int, error) {
	text, err := os.ReadFile("port")
	if err == nil {
		return strconv.Atoi(strings.TrimSpace(string(text)))
	}
	if !errors.Is(err, os.ErrNotExist) {
		return 0, err
	}
	for range 100 {
		// Below those that Linux gives to connections: between two runs, none of them takes it.
		port := 20000 + rand.IntN(12000)
		listener, attempt := net.Listen("tcp", net.JoinHostPort(address.String(), strconv.Itoa(port)))
		if attempt != nil {
			err = attempt
			continue
		}
		_ = listener.Close()
		return port, os.WriteFile("port", []byte(strconv.Itoa(port)+"\n"), 0o600)
	}
	return 0, fmt.Errorf("no free port: %w", err)
}

// Writes what kube-apiserver reads at its start and what its clients need; returns a client of its administrator.
func writeFiles(settings settings, endpoint string) (*administrator, error) {
	authority, err := readOrCreateAuthority()
	if err != nil {
		return nil, err
	}
	if _, err := readOrCreateKey("service-account.key"); err != nil {
		return nil, err
	}
	// Made anew: the address may be another one than that of the former run.
	server, err := authority.serverCertificate(settings.address)
	if err != nil {
		return nil, err
	}
	client, err := authority.clientCertificate("kubernetes-admin", "system:masters")
	if err != nil {
		return nil, err
	}
	if err := errors.Join(
		os.WriteFile("server.crt", server.certificate, 0o600),
		os.WriteFile("server.key", server.key, 0o600),
		os.WriteFile("audit-policy.yaml", []byte(auditPolicy), 0o600),
		writeKubeconfig(endpoint, authority, client),
	); err != nil {
		return nil, err
	}
	return newAdministrator(authority, client)
}

func writeKubeconfig(endpoint string, authority *authority, client pair) error {
	config := api.NewConfig()
	config.Clusters["test"] = &api.Cluster{Server: "https://" + endpoint, CertificateAuthorityData: authority.certificate}
	config.AuthInfos["admin"] = &api.AuthInfo{ClientCertificateData: client.certificate, ClientKeyData: client.key}
	config.Contexts["test"] = &api.Context{Cluster: "test", AuthInfo: "admin"}
	config.CurrentContext = "test"
	return clientcmd.WriteToFile(*config, "kubeconfig")
}

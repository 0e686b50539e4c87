package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"time"
)

// A certificate and its private key, both as PEM.
type pair struct {
	certificate, key []byte
}

// The certificate authority of the cluster, for servers and clients alike.
type authority struct {
	// As PEM.
	certificate []byte
	parsed      *x509.Certificate
	key         *ecdsa.PrivateKey
}

func readOrCreateAuthority() (*authority, error) {
	key, err := readOrCreateKey("ca.key")
	if err != nil {
		return nil, err
	}
	certificate, err := os.ReadFile("ca.crt")
	if errors.Is(err, os.ErrNotExist) {
		template := newTemplate(pkix.Name{CommonName: "kubernetes"})
		template.IsCA = true
		template.KeyUsage = x509.KeyUsageCertSign
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			return nil, err
		}
		certificate = toPEM("CERTIFICATE", der)
		if err := os.WriteFile("ca.crt", certificate, 0o600); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(certificate)
	if block == nil {
		return nil, errors.New("ca.crt is no PEM")
	}
	parsed, err := x509.ParseCertificate(block.Bytes)
	return &authority{certificate, parsed, key}, err
}

func (authority *authority) serverCertificate(address net.IP) (pair, error) {
	template := newTemplate(pkix.Name{CommonName: "kube-apiserver"})
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	template.DNSNames = []string{
		"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
		"kubernetes.default.svc.cluster.local",
	}
	// The third is that of the Service `kubernetes`: the first of the range.
	template.IPAddresses = []net.IP{address, net.IPv4(127, 0, 0, 1), net.IPv4(10, 96, 0, 1)}
	return authority.sign(template)
}

func (authority *authority) clientCertificate(user, group string) (pair, error) {
	template := newTemplate(pkix.Name{CommonName: user, Organization: []string{group}})
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return authority.sign(template)
}

func (authority *authority) sign(template *x509.Certificate) (pair, error) {
	key, encoded, err := newKey()
	if err != nil {
		return pair{}, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, authority.parsed, key.Public(), authority.key)
	return pair{toPEM("CERTIFICATE", der), encoded}, err
}

func newTemplate(subject pkix.Name) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber:          new(big.Int).SetInt64(time.Now().UnixNano()),
		Subject:               subject,
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().AddDate(1, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
	}
}

func readOrCreateKey(path string) (*ecdsa.PrivateKey, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		key, encoded, err := newKey()
		if err != nil {
			return nil, err
		}
		return key, os.WriteFile(path, encoded, 0o600)
	}
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New(path + " is no PEM")
	}
	return x509.ParseECPrivateKey(block.Bytes)
}

// A private key, and the same as PEM.
func newKey() (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	return key, toPEM("EC PRIVATE KEY", der), err
}

func toPEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

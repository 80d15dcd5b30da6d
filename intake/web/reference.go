package web

import (
	"crypto/rand"

	"example.org/c3i/crm/ref"
)

// newReference makes a report's public reference and the secret it is followed
// with.
func newReference() (reference, secret string, err error) {
	if reference, err = ref.New(rand.Reader); err != nil {
		return "", "", err
	}
	secret, err = ref.Secret(rand.Reader)
	return reference, secret, err
}

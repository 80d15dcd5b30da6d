package agentdesk

import (
	"context"
	"crypto/rand"
	"runtime"
	"strings"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
)

// Lengths of passwords, in characters. A long one costs nothing; the upper bound
// keeps a hostile request from making the hash work on megabytes.
const (
	PasswordMin = 10
	PasswordMax = 128
)

// checkPassword applies the rules for a new password. They follow NCSC advice:
// length over symbols, and nothing that can be guessed from the sign-on.
func checkPassword(u User, password string) error {
	n := utf8.RuneCountInString(password)
	lower := strings.ToLower(password)
	switch {
	case !utf8.ValidString(password):
		return invalid("new", "The password contains characters that cannot be read. Type it again.")
	case n < PasswordMin:
		return invalid("new", "The password must have at least 10 characters. Three random words make a good one.")
	case n > PasswordMax:
		return invalid("new", "The password may have at most 128 characters.")
	case strings.Contains(lower, u.Name) && len(u.Name) >= 3:
		return invalid("new", "The password must not contain your sign-on name.")
	case distinct(lower) < 5:
		return invalid("new", "The password repeats too few characters. Three random words make a good one.")
	case commonPasswords[strings.Map(letters, lower)]:
		return invalid("new", "That password is one of the first that would be guessed. Three random words make a good one.")
	}
	return nil
}

func distinct(s string) int {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen)
}

// letters keeps what is left of a common word once digits and signs are taken off.
func letters(r rune) rune {
	if r >= 'a' && r <= 'z' {
		return r
	}
	return -1
}

var commonPasswords = map[string]bool{
	"": true, "password": true, "passwordpassword": true, "qwertyuiop": true, "qwerty": true, "letmein": true,
	"welcome": true, "changeme": true, "administrator": true, "admin": true, "iloveyou": true, "police": true,
	"abcdefghij": true, "metropolitan": true, "football": true, "secret": true, "passw": true, "pssword": true,
}

// oneTimeAlphabet leaves out what is mistaken when read aloud or copied by hand.
const oneTimeAlphabet = "abcdefghjkmnpqrstuvwxyz23456789"

// newOneTimePassword makes 59 bits as "xxxx-xxxx-xxxx".
func newOneTimePassword() string {
	var b strings.Builder
	for i := 0; i < 12; {
		var one [1]byte
		_, _ = rand.Read(one[:]) // never fails: crypto/rand ends the process instead
		// Taking only multiples of the alphabet's length keeps letters equally likely.
		if int(one[0]) >= 256/len(oneTimeAlphabet)*len(oneTimeAlphabet) {
			continue
		}
		if i > 0 && i%4 == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(oneTimeAlphabet[int(one[0])%len(oneTimeAlphabet)])
		i++
	}
	return b.String()
}

// hasher makes and checks argon2id hashes, a few at a time: each takes memory.
type hasher struct {
	params *argon2id.Params
	slots  chan struct{}
	// decoy is checked against when there is no such user, so that an unknown name
	// takes as long as a wrong password.
	decoy string
}

// defaultParams are OWASP's second choice for argon2id: 19 MiB, two passes.
func defaultParams() *argon2id.Params {
	return &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}
}

func newHasher(params *argon2id.Params) (*hasher, error) {
	if params == nil {
		params = defaultParams()
	}
	decoy, err := argon2id.CreateHash(rand.Text(), params)
	if err != nil {
		return nil, err
	}
	return &hasher{params: params, slots: make(chan struct{}, runtime.NumCPU()), decoy: decoy}, nil
}

func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	if err := h.take(ctx); err != nil {
		return "", err
	}
	defer h.give()
	return argon2id.CreateHash(password, h.params)
}

// check compares; an empty hash stands for no such user and never matches.
func (h *hasher) check(ctx context.Context, password, hash string) (bool, error) {
	if err := h.take(ctx); err != nil {
		return false, err
	}
	defer h.give()
	known := hash != ""
	if !known {
		hash = h.decoy
	}
	match, err := argon2id.ComparePasswordAndHash(password, hash)
	return match && known, err
}

func (h *hasher) take(ctx context.Context) error {
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *hasher) give() { <-h.slots }

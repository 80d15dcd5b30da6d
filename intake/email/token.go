package email

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"regexp"
	"strings"
)

// alphabet has no letters that are taken for others (Crockford's).
var alphabet = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// Signer signs what we give out and expect back: reference tokens and
// Message-IDs. A signature only tells that we made it. It opens nothing: whoever
// quotes it is checked against those who take part in the thread.
type Signer struct{ key []byte }

// NewSigner makes a Signer from a key of at least 16 bytes.
func NewSigner(key []byte) Signer { return Signer{key: key} }

func (s Signer) mac(purpose, text string, symbols int) string {
	m := hmac.New(sha256.New, s.key)
	m.Write([]byte(purpose + "\x00" + text))
	return alphabet.EncodeToString(m.Sum(nil))[:symbols]
}

// Reference is the eight symbols a person quotes for a thread, for example
// 7K2M-9QXD in print.
type Reference string

// newReference makes one at random: forty bits, so that none is guessed.
func newReference() (Reference, error) {
	var b [5]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", err
	}
	return Reference(alphabet.EncodeToString(b[:])), nil
}

// String groups it for reading.
func (r Reference) String() string {
	if len(r) != 8 {
		return string(r)
	}
	return string(r[:4] + "-" + r[4:])
}

// Token is a reference with its signature, as it stands in subjects:
// [Ref 7K2M-9QXD-3FHT6W].
func (s Signer) Token(r Reference) string {
	return "[Ref " + r.String() + "-" + s.mac("reference", string(r), 6) + "]"
}

// Plus is the same for the part of an address after its "+".
func (s Signer) Plus(r Reference) string {
	return strings.ToLower("r" + string(r) + s.mac("reference", string(r), 6))
}

var (
	inSubject = regexp.MustCompile(`(?i)\[\s*ref[ :.]*([0-9a-z]{4})[ -]?([0-9a-z]{4})[ -]([0-9a-z]{6})\s*\]`)
	inAddress = regexp.MustCompile(`(?i)^r([0-9a-z]{8})([0-9a-z]{6})$`)
	misread   = strings.NewReplacer("O", "0", "I", "1", "L", "1", "U", "V")
)

// References lists the references in a subject and in the addresses a message
// went to whose signatures are ours, each once.
func (s Signer) References(subject string, addresses ...string) []Reference {
	var out []Reference
	add := func(r, mac string) {
		ref := Reference(misread.Replace(strings.ToUpper(r)))
		if !hmac.Equal([]byte(misread.Replace(strings.ToUpper(mac))), []byte(misread.Replace(s.mac("reference", string(ref), 6)))) {
			return
		}
		for _, had := range out {
			if had == ref {
				return
			}
		}
		out = append(out, ref)
	}
	for _, m := range inSubject.FindAllStringSubmatch(subject, 10) {
		add(m[1]+m[2], m[3])
	}
	for _, a := range addresses {
		local, _, _ := cutLast(a, "@")
		if _, plus, ok := strings.Cut(local, "+"); ok {
			if m := inAddress.FindStringSubmatch(plus); m != nil {
				add(m[1], m[2])
			}
		}
	}
	return out
}

// WithoutTokens takes our tokens out of a subject, so that a reply has only one.
func WithoutTokens(subject string) string {
	return strings.Join(strings.Fields(inSubject.ReplaceAllString(subject, " ")), " ")
}

// MessageID is the Message-ID, without brackets, of a message of ours.
func (s Signer) MessageID(id, domain string) string {
	return strings.ToLower(id+"."+s.mac("message", id, 10)) + "@" + domain
}

// Ours returns the id a Message-ID was made from, when we made it.
func (s Signer) Ours(messageID string) (string, bool) {
	local, _, ok := cutLast(messageID, "@")
	id, mac, dot := strings.Cut(local, ".")
	id = strings.ToUpper(id)
	if !ok || !dot || id == "" || !hmac.Equal([]byte(strings.ToUpper(mac)), []byte(s.mac("message", id, 10))) {
		return "", false
	}
	return id, true
}

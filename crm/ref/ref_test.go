package ref_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	mrand "math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"example.org/c3i/contact/importrule"
	"example.org/c3i/crm/ref"
)

const letters = "ZABCDEFGHJKLMNPQRTUVWXY"

func TestImportsNothingOfOurs(t *testing.T) {
	importrule.Check(t, importrule.Rule{AllowOurs: []string{}})
}

func receipts() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		var seed [32]byte
		copy(seed[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "seed"))
		s, err := ref.New(mrand.NewChaCha8(seed))
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

func TestNewReceiptIsReadBackHoweverItIsTyped(t *testing.T) {
	for range 200 {
		s, err := ref.New(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if len(s) != 11 || s[3] != '-' || s[7] != '-' || !ref.Check(s) {
			t.Fatalf("New = %q", s)
		}
		for _, typed := range []string{s, strings.ToLower(s), strings.ReplaceAll(s, "-", ""), strings.ReplaceAll(s, "-", " "), " ref: " + s} {
			got, err := ref.Parse(typed)
			if err != nil || got != (ref.Ref{Kind: ref.Receipt, Text: s}) {
				t.Errorf("Parse(%q) = %+v, %v; want %s", typed, got, err, s)
			}
		}
	}
}

func TestASourceThatFailsGivesNoReceipt(t *testing.T) {
	if s, err := ref.New(bytes.NewReader([]byte{1, 2, 3})); err == nil {
		t.Errorf("New = %q from three bytes", s)
	}
}

func TestReceiptFindsEveryWrongLetterAndEveryExchange(t *testing.T) {
	gen := receipts()
	rapid.Check(t, func(t *rapid.T) {
		s := strings.ReplaceAll(gen.Draw(t, "receipt"), "-", "")
		i := rapid.IntRange(0, len(s)-1).Draw(t, "place")
		for j := range letters {
			wrong := s[:i] + letters[j:j+1] + s[i+1:]
			if ref.Check(wrong) != (wrong == s) {
				t.Fatalf("%s passes for %s", wrong, s)
			}
		}
		for j := range len(s) {
			b := []byte(s)
			b[i], b[j] = b[j], b[i]
			if ref.Check(string(b)) != (string(b) == s) {
				t.Fatalf("%s passes for %s", b, s)
			}
		}
	})
}

func TestNumbersAreReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		year := rapid.IntRange(2000, 2099).Draw(t, "year")
		crime := ref.CrimeNumber(rapid.Uint64Range(1, 9_999_999).Draw(t, "crime"), year)
		day := time.Date(year, 1, rapid.IntRange(1, 365).Draw(t, "day"), 0, 0, 0, 0, time.UTC)
		incident := ref.IncidentNumber(rapid.Uint64Range(1, 99_999).Draw(t, "incident"), day.Year(), day.Month(), day.Day())
		for text, kind := range map[string]ref.Kind{crime: ref.Crime, incident: ref.Incident} {
			for _, typed := range []string{text, strings.ToLower(text), text[:len(text)-1]} {
				if got, err := ref.Parse(typed); err != nil || got != (ref.Ref{Kind: kind, Text: text}) {
					t.Fatalf("Parse(%q) = %+v, %v; want %s", typed, got, err, text)
				}
			}
			i := rapid.IntRange(0, strings.IndexByte(text, '/')-1).Draw(t, "place")
			digit := byte('0' + rapid.IntRange(0, 9).Draw(t, "digit"))
			if wrong := text[:i] + string(digit) + text[i+1:]; wrong != text {
				if got, err := ref.Parse(wrong); err == nil && got.Text == wrong {
					t.Fatalf("%s passes for %s", wrong, text)
				}
			}
		}
	})
}

func TestParse(t *testing.T) {
	for typed, want := range map[string]string{
		"CAD 1234/09AUG26":      ref.IncidentNumber(1234, 2026, time.August, 9),
		"cad1234/09aug26":       ref.IncidentNumber(1234, 2026, time.August, 9),
		"1234 / 09 Aug 26":      ref.IncidentNumber(1234, 2026, time.August, 9),
		"01/0001234/26":         ref.CrimeNumber(1234, 2026),
		"1234/26":               ref.CrimeNumber(1234, 2026),
		"Crime number: 1234/26": ref.CrimeNumber(1234, 2026),
	} {
		if got, err := ref.Parse(typed); err != nil || got.Text != want {
			t.Errorf("Parse(%q) = %+v, %v; want %s", typed, got, err, want)
		}
	}
	for typed, want := range map[string]error{
		"": ref.ErrForm, "hello": ref.ErrForm, "1234": ref.ErrForm, "0/26": ref.ErrForm, "1/30FEB26": ref.ErrForm, "1/2/3/4": ref.ErrForm,
		"ABC-DEF-GHZ": ref.ErrLetter, "ABC-DEF-GHI": ref.ErrForm, "12345678/26": ref.ErrForm, "1/00JAN26": ref.ErrForm,
		strings.Repeat("A", 65): ref.ErrForm,
	} {
		if got, err := ref.Parse(typed); !errors.Is(err, want) {
			t.Errorf("Parse(%q) = %+v, %v; want %v", typed, got, err, want)
		}
	}
}

func TestNationalNumbers(t *testing.T) {
	for typed, want := range map[string]string{
		"1101ZD0100000448754K": "1101ZD0100000448754K", "0836FP0100000377244A": "0836FP0100000377244A",
		"11/01ZD/01/448754K": "1101ZD0100000448754K", "11/01zd/01/448754k": "1101ZD0100000448754K",
	} {
		if got, err := ref.ASN(typed); err != nil || got != want {
			t.Errorf("ASN(%q) = %q, %v; want %s", typed, got, err, want)
		}
	}
	for typed, want := range map[string]error{
		"1101ZD0100000448754L": ref.ErrLetter, "1101ZD0100000448745K": ref.ErrLetter, "11/01ZD/448754K": ref.ErrForm, "": ref.ErrForm,
		"1101ZD01000004487X4K": ref.ErrForm,
	} {
		if got, err := ref.ASN(typed); !errors.Is(err, want) {
			t.Errorf("ASN(%q) = %q, %v; want %v", typed, got, err, want)
		}
	}
	// 2012/0000001: 12 0000001 = 120000001, remainder 1 by 23 is counted here by hand.
	letter := letters[120000001%23]
	if got, err := ref.PNC("2012/1" + string(letter)); err != nil || got != "2012/0000001"+string(letter) {
		t.Errorf("PNC = %q, %v", got, err)
	}
	if _, err := ref.PNC("2012/2" + string(letter)); !errors.Is(err, ref.ErrLetter) {
		t.Errorf("wrong PNC: %v", err)
	}
	for _, bad := range []string{"", "2012", "2012/", "12/1A", "2012/123456789A", "2012/1X1A"} {
		if got, err := ref.PNC(bad); !errors.Is(err, ref.ErrForm) {
			t.Errorf("PNC(%q) = %q, %v", bad, got, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"ABC-DEF-GHJ", "1234/09AUG26", "0001234/26K", "01/1/26", "CAD", "//", "#", "\u2013", "1101ZD0100000448754K"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		r, err := ref.Parse(typed)
		if err != nil {
			if r != (ref.Ref{}) {
				t.Errorf("Parse(%q) gave %+v with an error", typed, r)
			}
		} else if again, err := ref.Parse(r.Text); err != nil || again != r {
			t.Errorf("Parse(%q) = %+v, which is read as %+v, %v", typed, r, again, err)
		}
		if s, err := ref.ASN(typed); err == nil {
			if again, err := ref.ASN(s); err != nil || again != s {
				t.Errorf("ASN(%q) = %q is read as %q, %v", typed, s, again, err)
			}
		}
		if s, err := ref.PNC(typed); err == nil {
			if again, err := ref.PNC(s); err != nil || again != s {
				t.Errorf("PNC(%q) = %q is read as %q, %v", typed, s, again, err)
			}
		}
	})
}

package ivr

import "testing"

func TestChecks(t *testing.T) {
	for _, c := range []struct {
		check, digits string
		want          bool
	}{
		{"luhn", "4242", true},
		{"luhn", "4243", false},
		{"luhn", "2442", false}, // neighbours swapped
		{"luhn", "79927398713", true},
		{"luhn", "0", false},
		{"luhn", "", false},
		{"mod97", "79444", true}, // the example in ISO/IEC 7064
		{"mod97", "79445", false},
		{"mod97", "97444", false},
		{"mod97", "01", false},
		{"none", "1", true},
	} {
		if got := checks[c.check](c.digits); got != c.want {
			t.Errorf("%s of %q = %v, want %v", c.check, c.digits, got, c.want)
		}
	}
}

func TestSuggest(t *testing.T) {
	names := []string{"handler", "welcome", "menu"}
	for given, want := range map[string]string{
		"handlr": `did you mean "handler"?`, "MENU": `did you mean "menu"?`,
		"zzzzzzzzz": "one of handler, menu, welcome",
	} {
		if got := suggest(given, names); got != want {
			t.Errorf("suggest(%q) = %q, want %q", given, got, want)
		}
	}
	if got := suggest("x", nil); got != "" {
		t.Errorf("with nothing to suggest: %q", got)
	}
}

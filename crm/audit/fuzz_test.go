package audit_test

import (
	"os"
	"path/filepath"
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/crm/audit"
)

// FuzzDecode: whatever stands in the stream is read or refused, and what is read
// can be kept again.
func FuzzDecode(f *testing.F) {
	body, hash, err := audit.Encode(audit.Entry{
		Seq: 7, ID: "01JZ", At: 1, Prev: "00", Operation: audit.Alter, Object: "person", ObjectID: "p1",
		Subjects: []audit.Subject{audit.Victim}, Fields: []string{"name"}, Actor: audit.Actor{ID: "h1", Reason: "enquiry"}, Correlation: contact.ID("c1"),
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body, hash)
	for _, s := range []string{"", "null", "[]", "{}", `{"seq":-1}`, `{"seq":1}{"seq":2}`, `{"seq":1e30}`, `{"at":"x"}`, "\xff", `{"later":{"version":[1]}}`} {
		f.Add([]byte(s), "")
	}
	f.Fuzz(func(t *testing.T, body []byte, hash string) {
		e, err := audit.Decode(body, hash)
		if err != nil {
			return
		}
		if e.Hash != hash {
			t.Errorf("hash %q came back as %q", hash, e.Hash)
		}
		again, sum, err := audit.Encode(e)
		if err != nil {
			return // larger once written our way
		}
		back, err := audit.Decode(again, sum)
		if err != nil {
			t.Fatalf("%s was written and cannot be read: %v", again, err)
		}
		if back.Seq != e.Seq || back.Prev != e.Prev || back.ObjectID != e.ObjectID {
			t.Errorf("%+v came back as %+v", e, back)
		}
	})
}

func FuzzParseAnchor(f *testing.F) {
	f.Add(audit.Anchor{Seq: 3, Hash: audit.Sum(nil), At: 1_700_000_000_000_000_000}.String())
	f.Add("c3i-audit 1 0 ff now")
	f.Add("c3i-audit 2 1 x y")
	f.Fuzz(func(t *testing.T, line string) {
		a, err := audit.ParseAnchor(line)
		if err != nil {
			return
		}
		back, err := audit.ParseAnchor(a.String())
		if err != nil || back.Seq != a.Seq || back.Hash != a.Hash {
			t.Errorf("%q came back as %v, %v", line, back, err)
		}
	})
}

func TestAnchorsCutShortByACrashAreLeftOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "anchors")
	whole := audit.Anchor{Seq: 3, Hash: audit.Sum(nil), At: 1_700_000_000_000_000_000}
	for text, want := range map[string]int{
		whole.String() + "\n" + whole.String()[:30]:             1,
		whole.String() + "\nnonsense\n" + whole.String() + "\n": -1,
		whole.String() + "\n\n" + whole.String() + "\n":         2,
		"": 0,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		a, err := audit.OpenAnchors(path)
		if want < 0 {
			if err == nil {
				t.Errorf("%q was read", text)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := a.Read()
		if err != nil || len(got) != want {
			t.Errorf("%q gives %v, %v", text, got, err)
		}
		next := audit.Anchor{Seq: 9, Hash: audit.Sum(nil), At: whole.At}
		if err := a.Add(next); err != nil {
			t.Fatal(err)
		}
		if got, err := a.Read(); err != nil || len(got) != want+1 || got[want] != next {
			t.Errorf("after %q and another: %v, %v", text, got, err)
		}
	}
}

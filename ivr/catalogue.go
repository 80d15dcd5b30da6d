package ivr

import (
	"cmp"
	"slices"
	"strings"
)

// Catalogue is every language and the texts of its prompts. Adding a language
// is adding a prompt file.
type Catalogue struct {
	// Languages in order of their key; the first is the default.
	Languages []Language
}

// Language is one prompt file.
type Language struct {
	// Code is ISO 639-1, for example "pl".
	Code string
	// Name is the language's own name for itself, English the English one.
	Name    string
	English string
	// Voice is the speech synthesiser's voice.
	Voice string
	// Key is what callers press to choose the language.
	Key byte
	// Prompts are the texts by name. The phrase that offers the language is
	// among them as LanguageChoice.
	Prompts map[string]string
}

// LanguageChoice is the name of the prompt that offers a language in that
// language ("For English, press 1.").
const LanguageChoice = "language_choice"

// PromptFile is the source of one language.
type PromptFile struct {
	// Name is the name that problems carry.
	Name string
	Src  []byte
}

// Language finds a language by its code.
func (c *Catalogue) Language(code string) (Language, bool) {
	for _, l := range c.Languages {
		if l.Code == code {
			return l, true
		}
	}
	return Language{}, false
}

// Default is the code of the language on the lowest key.
func (c *Catalogue) Default() string {
	if len(c.Languages) == 0 {
		return ""
	}
	return c.Languages[0].Code
}

// Names lists the prompts that any language has, sorted.
func (c *Catalogue) Names() []string {
	seen := map[string]bool{}
	var names []string
	for _, l := range c.Languages {
		for n := range l.Prompts {
			if !seen[n] {
				seen[n] = true
				names = append(names, n)
			}
		}
	}
	slices.Sort(names)
	return names
}

// Text finds a prompt's text.
func (c *Catalogue) Text(ref PromptRef) (string, bool) {
	l, ok := c.Language(ref.Language)
	if !ok {
		return "", false
	}
	t, ok := l.Prompts[ref.Name]
	return t, ok
}

var languageFields = []string{"code", "name", "english", "voice", "key", "choose", "prompts"}

// LoadCatalogue reads and checks prompt files. All problems are reported; the
// catalogue is nil when there is any. A prompt one language has and another
// lacks is no problem here: the flow that plays it says so.
func LoadCatalogue(files []PromptFile) (*Catalogue, Problems) {
	c := &Catalogue{}
	var problems Problems
	codes, keys := map[string]string{}, map[byte]string{}
	for _, f := range files {
		r := &reader{file: f.Name}
		lang, at := r.language(f.Src)
		if first, taken := codes[lang.Code]; taken && lang.Code != "" {
			r.report(at["code"], "duplicate", "", "language %q is already defined by %s", lang.Code, first)
		}
		if first, taken := keys[lang.Key]; taken && lang.Key != 0 {
			r.report(at["key"], "duplicate_key", "choose a key no other language has", "key %c already chooses the language of %s", lang.Key, first)
		}
		codes[lang.Code], keys[lang.Key] = f.Name, f.Name
		c.Languages = append(c.Languages, lang)
		problems = append(problems, r.problems...)
	}
	if len(files) == 0 {
		problems = append(problems, Problem{
			File: "prompts", Line: 1, Column: 1, Code: "no_language",
			Message: "there is no prompt file", Suggestion: "add one such as prompts/en.yaml",
		})
	}
	if len(problems) > 0 {
		problems.sort()
		return nil, problems
	}
	slices.SortFunc(c.Languages, func(a, b Language) int { return cmp.Compare(a.Key, b.Key) })
	return c, nil
}

func (r *reader) language(src []byte) (Language, map[string]place) {
	lang, at := Language{Prompts: map[string]string{}}, map[string]place{}
	top, ok := r.parse(src)
	if !ok {
		return lang, at
	}
	fs, ok := r.fields(top, "the prompt file")
	if !ok {
		return lang, at
	}
	r.known(fs, "a prompt file", languageFields)
	for _, name := range languageFields {
		f, given := find(fs, name)
		if !given {
			r.report(placeOf(top), "missing_field", "", "the prompt file has no %q", name)
			continue
		}
		at[name] = valuePlace(f)
		switch name {
		case "code":
			if lang.Code = r.text(f); lang.Code != "" && !isCode(lang.Code) {
				r.report(at[name], "bad_language", "use ISO 639-1, for example en", "%q is not a language code of two small letters", lang.Code)
			}
		case "name":
			lang.Name = r.text(f)
		case "english":
			lang.English = r.text(f)
		case "voice":
			lang.Voice = r.text(f)
		case "key":
			if s := r.text(f); s != "" {
				lang.Key, _ = r.key(s, at[name], "0123456789")
			}
		case "choose":
			lang.Prompts[LanguageChoice] = r.text(f)
			if !strings.Contains(lang.Prompts[LanguageChoice], "{key}") {
				r.report(at[name], "no_placeholder", "write {key} where the key is spoken", "\"choose\" does not say which key to press")
			}
		case "prompts":
			texts, _ := r.fields(f.value, "prompts")
			for _, t := range texts {
				switch {
				case t.name == LanguageChoice:
					r.report(t.at, "reserved", "write it as \"choose\"", "the name %q is taken", t.name)
				case !isName(t.name):
					r.report(t.at, "bad_name", "", "%q is not a name: use small letters, digits, _ and -", t.name)
				default:
					lang.Prompts[t.name] = strings.Join(strings.Fields(r.text(t)), " ")
				}
			}
		}
	}
	choose := strings.Join(strings.Fields(lang.Prompts[LanguageChoice]), " ")
	lang.Prompts[LanguageChoice] = strings.ReplaceAll(choose, "{key}", string(rune(max(lang.Key, '0'))))
	return lang, at
}

func isCode(s string) bool {
	return len(s) == 2 && s[0] >= 'a' && s[0] <= 'z' && s[1] >= 'a' && s[1] <= 'z'
}

// isName tells whether s can name a step, prompt, answer or destination. Prompt
// names become file names, so nothing else is let in.
func isName(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

package form_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"example.org/c3i/configs"
	"example.org/c3i/intake/web/form"
)

// "Press Escape 1 more times to leave" is nobody's language.
func TestNumbersAreSaidAsTheLanguageSaysThem(t *testing.T) {
	texts, err := form.LoadTexts(configs.Files, "web", "en", shipped(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ language, key, place, n, want string }{
		{"en", "exit_more", "n", "2", "Press Escape 2 more times to leave."},
		{"en", "exit_more", "n", "1", "Press Escape once more to leave."},
		{"pl", "exit_more", "n", "2", "Aby wyjść, naciśnij Escape jeszcze 2 razy."},
		{"pl", "exit_more", "n", "1", "Aby wyjść, naciśnij Escape jeszcze raz."},
		{"bn", "exit_more", "n", "2", "বেরোতে Escape আরও 2 বার চাপুন।"},
		{"bn", "exit_more", "n", "1", "বেরোতে Escape আরও একবার চাপুন।"},
		{"pl", "count_left", "n", "1", "Pozostał 1 znak"},
		{"pl", "count_left", "n", "3", "Pozostały 3 znaki"},
		{"pl", "count_left", "n", "5", "Pozostało 5 znaków"},
		{"pl", "count_left", "n", "12", "Pozostało 12 znaków"},
		{"pl", "count_left", "n", "22", "Pozostały 22 znaki"},
		{"en", "count_left", "n", "0", "You have 0 characters left"},
		{"en", "count_left", "n", "%", "You have % characters left"},
		{"bn", "count_left", "n", "1", "আর 1টি অক্ষর লিখতে পারেন"},
	} {
		if got := texts.Language(c.language).Text(c.key, c.place, c.n); got != c.want {
			t.Errorf("%s, %s of %s: %q, want %q", c.language, c.key, c.n, got, c.want)
		}
	}
	for _, key := range []string{"problem_often_text", "notice_fast", "notice_busy"} {
		place := map[bool]string{true: "minutes", false: "seconds"}[key == "problem_often_text"]
		for n, want := range map[string][2]string{"1": {" minutę ", " sekundę "}, "4": {" 4 minuty ", " 4 sekundy "}, "11": {" 11 minut ", " 11 sekund "}} {
			got := texts.Language("pl").Text(key, place, n)
			if !strings.Contains(got, want[0]) && !strings.Contains(got, want[1]) {
				t.Errorf("%s of %s reads %q", key, n, got)
			}
		}
	}
	if got := texts.Language("pl").Forms("count_over", "n", "%"); len(got) != 3 || got["other"] != "O % znaków za dużo" || got["few"] != "O % znaki za dużo" {
		t.Errorf("a script is given %v", got)
	}
}

func TestAPluralFormThatIsNeverUsedIsRefused(t *testing.T) {
	f := shipped(t)
	for wrong, want := range map[string]string{
		"exit_more_few: x":                     "ui.exit_more_few is not used: the language has no such form",
		"skip_one: x":                          "ui.skip_one is not used",
		"exit_more_one: \"{n} and {another}\"": "ui.exit_more_one has the places [another n]",
	} {
		files := fstest.MapFS{}
		for _, code := range []string{"en", "pl", "bn"} {
			b, err := configs.Files.ReadFile("web/" + code + ".yaml")
			if err != nil {
				t.Fatal(err)
			}
			text := string(b)
			if code == "bn" {
				text = strings.Replace(text, "  exit_more_one: বেরোতে Escape আরও একবার চাপুন।\n", "", 1)
				text = strings.Replace(text, "\nui:\n", "\nui:\n  "+wrong+"\n", 1)
			}
			files["web/"+code+".yaml"] = &fstest.MapFile{Data: []byte(text)}
		}
		if _, err := form.LoadTexts(files, "web", "en", f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", wrong, err, want)
		}
	}
}

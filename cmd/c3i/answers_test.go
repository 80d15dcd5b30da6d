package main

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"example.org/c3i/configs"
	"example.org/c3i/routing/plan"
)

func TestRulesThatWaitForAnswersTheFlowNeverGives(t *testing.T) {
	src, err := configs.Files.ReadFile("plan.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const from = `answers.menu == "existing"`
	line := 1 + strings.Count(string(src[:strings.Index(string(src), from)]), "\n")
	for _, tc := range []struct{ when, want string }{
		{`answers.menu == "existing"`, ""},
		{`answers.menu == ""`, ""},
		{`answers.menu != "other" # answers.menu == "nothing"`, ""},
		{`answers.reference == "anything"`, ""},
		{`answers.menu in ["crime", "handler"]`, ""},
		{`answers.menu == "exist"`, `:27: warning: the flow front-door never answers menu with "exist", only with crime, existing, other or handler`},
		{`channel == "phone" and answers.menu in ["crime", "theft"]`, `:60: warning: the flow front-door never answers menu with "theft", only with crime, existing, other or handler`},
		{`answers.colour == "red"`, `:19: warning: the flow front-door gives no answer "colour"`},
	} {
		t.Run(tc.when, func(t *testing.T) {
			c := loadContent(configs.Defaults())
			changed := strings.Replace(string(src), from, tc.when, 1)
			doc, problems := plan.Parse("site.yaml", []byte(changed))
			if doc == nil {
				t.Fatal(problems)
			}
			c.plan = doc
			c.checkAnswers()
			c.warnings = slices.DeleteFunc(c.warnings, func(w string) bool { return strings.Contains(w, `"property"`) })
			switch {
			case tc.want == "" && len(c.warnings) > 0:
				t.Errorf("warned: %q", c.warnings)
			case tc.want != "" && (len(c.warnings) != 1 || c.warnings[0] != "site.yaml:"+strconv.Itoa(line)+tc.want):
				t.Errorf("warned: %q", c.warnings)
			}
		})
	}
}

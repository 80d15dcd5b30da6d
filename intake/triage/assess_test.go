package triage_test

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"example.org/c3i/contact/importrule"
	"example.org/c3i/intake/triage"
)

func TestImports(t *testing.T) {
	importrule.Check(t, importrule.Rule{AllowOurs: []string{"contact"}, Forbid: importrule.Pure()})
}

func TestWordsThatSuggestRisk(t *testing.T) {
	for _, c := range []struct{ text, code string }{
		{"I am going to kill myself tonight.", "words.suicide"},
		{"I don't want to live any more", "words.suicide"},
		{"I don’t want to live any more", "words.suicide"}, // a phone's apostrophe
		{"I CAN'T STOP THINKING ABOUT SUICIDE", "words.suicide"},
		{"She has taken an overdose", "words.suicide"},
		{"chcę umrzeć", "words.suicide"},
		{"chce umrzec", "words.suicide"}, // typed without marks
		{"Ona mówi o samobójstwie.", "words.suicide"},
		{"আমি আত্মহত্যা করব", "words.suicide"},
		{"আমি আর বাঁচতে চাই না", "words.suicide"},
		{"He said he is going to kill me.", "words.threat_to_kill"},
		{"He'll kill me if he reads this", "words.threat_to_kill"},
		{"my ex threatened to kill us both", "words.threat_to_kill"},
		{"No, he will\nkill her", "words.threat_to_kill"}, // wrapped, and "No," denies nothing
		{"I am in fear for my life", "words.threat_to_kill"},
		{"Mąż grozi mi śmiercią", "words.threat_to_kill"},
		{"powiedział, że mnie zabije", "words.threat_to_kill"},
		{"সে আমাকে মেরে ফেলার হুমকি দিচ্ছে", "words.threat_to_kill"},
		{"সে বলেছে আমাকে মেরে ফেলবে", "words.threat_to_kill"},
		{"A man in the park has a knife", "words.weapon"},
		{"There's a bomb at the station", "words.weapon"},
		{"Sąsiad ma nóż", "words.weapon"},
		{"তার হাতে ছুরি", "words.weapon"},
		{"my dad is not breathing", "words.dying"},
		{"please, I don't want to die", "words.dying"},
		{"Mój ojciec jest nieprzytomny", "words.dying"},
		{"আমার বাবা অজ্ঞান হয়ে গেছেন", "words.dying"},
		{"They locked me in and took my passport", "words.held"},
		{"trzyma nas wbrew woli, przetrzymuje mnie w piwnicy", "words.held"},
		{"আমাকে আটকে রেখেছে", "words.held"},
		{"he is beating my mum right now", "words.violence_now"},
		{"bije mnie", "words.violence_now"},
		{"সে আমাকে মারছে", "words.violence_now"},
		{"I'm not joking, he is strangling her", "words.violence_now"},
		{"I think the boy next door is being beaten every night", "words.child_harmed"},
		{"someone is grooming my daughter online", "words.child_harmed"},
		{"Sąsiad bije dziecko", "words.child_harmed"},
		{"পাশের বাসায় শিশুকে মারছে", "words.child_harmed"},
		{"My son has gone missing", "words.child_missing"},
		{"13 year old girl missing since yesterday", "words.child_missing"},
		{"Moja córka zaginęła", "words.child_missing"},
		{"আমার মেয়ে নিখোঁজ", "words.child_missing"},
	} {
		r := triage.Assess(triage.Input{Text: c.text})
		if len(r.Reasons) == 0 || r.Reasons[0].Code != c.code {
			t.Errorf("%q: reasons %+v, want %s", c.text, r.Reasons, c.code)
			continue
		}
		want := triage.RiskToLife
		if strings.HasPrefix(c.code, "words.child") {
			want = triage.ChildAtRisk
		}
		if r.Risk != want || r.Answers["risk"] != string(want) || !strings.Contains(r.Answers["risk_reasons"], c.code) {
			t.Errorf("%q: risk %q, answers %v", c.text, r.Risk, r.Answers)
		}
		if r.Reasons[0].Sentence == "" || r.Reasons[0].Quote == "" {
			t.Errorf("%q: a reason without sentence or quote: %+v", c.text, r.Reasons[0])
		}
	}
}

func TestFalseAlarmsAreNotRaised(t *testing.T) {
	for _, text := range []string{
		"", "My bike was stolen from outside the library on Tuesday.",
		"The wait is killing me, how long does it take?",
		"I have been killing time waiting for the 101 line.",
		"He did not threaten to kill me, he only shouted.",
		"There was no gun, and nobody has a knife.",
		"Nobody is going to kill you for parking there.",
		"My son's bicycle is missing its front wheel.",
		"The kids broke my window with a ball.",
		"A suspicious package was collected by the council.",
		"My website is unresponsive.",
		"The meeting is being held on Friday.",
		"I run a dog grooming business and my till was robbed.",
		"A car is outside my house with a flat battery.",
		"Can you help me please with this form?",
		"Skradziono mi rower spod domu, proszę o kontakt.",
		"Nie ma noża, nie grozi mi nikt.",
		"Czekam na odpowiedź od tygodnia.",
		"আমার সাইকেল চুরি হয়েছে।",
		"সে আমাকে মারছে না।",
		"সে হত্যার হুমকি দেয়নি।",
	} {
		if r := triage.Assess(triage.Input{Text: text}); r.Risk != triage.NoRisk || len(r.Reasons) != 0 || r.Answers["risk"] != "" {
			t.Errorf("%q: %q because of %+v", text, r.Risk, r.Reasons)
		}
	}
}

func TestTheSubjectCountsAndNoPhraseReachesIntoTheText(t *testing.T) {
	if r := triage.Assess(triage.Input{Subject: "he has a knife", Text: "Please read."}); r.Risk != triage.RiskToLife {
		t.Errorf("the subject was not looked at: %+v", r)
	}
	if r := triage.Assess(triage.Input{Subject: "what he has", Text: "a knife block, stolen"}); r.Risk != triage.NoRisk {
		t.Errorf("subject and text were read as one sentence: %+v", r.Reasons)
	}
}

func TestAnswersCount(t *testing.T) {
	r := triage.Assess(triage.Input{Answers: map[string]string{"weapon": "Yes", "child_at_risk": "yes", "danger_now": "no"}})
	if r.Risk != triage.RiskToLife || r.Answers["risk_reasons"] != "answer.weapon answer.child_at_risk" {
		t.Errorf("%+v", r)
	}
	r = triage.Assess(triage.Input{Answers: map[string]string{"child_at_risk": "yes"}})
	if r.Risk != triage.ChildAtRisk {
		t.Errorf("%+v", r)
	}
}

func TestQuotedEarlierTextOfAReplyIsNotAssessedAnew(t *testing.T) {
	const old = "He is going to kill me."
	replies := map[string]string{
		"marks":             "Thank you, all is well.\n\nOn 3 May 2026 at 10:00, Alex <a@example.org> wrote:\n> " + old + "\n",
		"marks on top":      "> " + old + "\nThank you, all is well.",
		"original message":  "Thank you.\n\n-----Original Message-----\nFrom: a\n" + old,
		"outlook":           "Thank you.\n\nFrom: Alex <a@example.org>\nSent: 3 May 2026 10:00\nTo: 101\nSubject: help\n\n" + old,
		"Polish":            "Dziękuję.\n\nW dniu 3.05.2026 o 10:00, Alex pisze:\n> On mnie zabije",
		"Polish, no marks":  "Dziękuję.\n\nW dniu 3.05.2026 o 10:00, Alex napisał(a):\nOn mnie zabije",
		"broken over lines": "Thank you.\n\nOn Sunday, 3 May 2026 at 10:00,\nAlex Example <a@example.org> wrote:\n\n> " + old,
	}
	for name, text := range replies {
		if r := triage.Assess(triage.Input{Text: text, Reply: true}); r.Risk != triage.NoRisk {
			t.Errorf("%s: %+v", name, r.Reasons)
		}
		if r := triage.Assess(triage.Input{Text: text}); r.Risk != triage.RiskToLife {
			t.Errorf("%s: not a reply to us, so what is quoted is news, but %+v", name, r)
		}
	}
	for name, text := range map[string]string{
		"above":             "He has a knife.\n\nOn 3 May 2026, Alex wrote:\n> What is happening?",
		"below":             "On 3 May 2026, Police 101 <a@example.org> wrote:\n> What is happening?\n\nHe has a knife.",
		"between":           "> What is happening?\nHe has a knife.\n> Where are you?\nHome.",
		"nothing but marks": "> He has a knife",
	} {
		if r := triage.Assess(triage.Input{Text: text, Reply: true}); r.Risk != triage.RiskToLife {
			t.Errorf("%s: what is new was not assessed: %q", name, triage.Fresh(text))
		}
	}
}

func TestLanguageIsGuessedOnlyWhenSure(t *testing.T) {
	for _, c := range []struct{ text, given, want string }{
		{"hi can u help bike stolen", "", ""},
		{"Dzień dobry, wczoraj wieczorem skradziono mi rower spod bloku przy ulicy Kwiatowej, proszę o pomoc w zgłoszeniu.", "", "pl"},
		{"গতকাল রাতে আমার সাইকেলটি বাড়ির সামনে থেকে চুরি হয়ে গেছে, দয়া করে আমাকে সাহায্য করুন।", "", "bn"},
		{"Good morning, yesterday evening my bicycle was stolen from outside the block of flats where I live, please could you tell me how to report this and what happens next.", "", "en"},
		{"Good morning, yesterday evening my bicycle was stolen from outside the block of flats where I live.", "bn", "bn"},
		{"", "", ""},
	} {
		if r := triage.Assess(triage.Input{Text: c.text, Language: c.given}); r.Language != c.want {
			t.Errorf("%q: %q, want %q", c.text, r.Language, c.want)
		}
	}
}

func TestCategoryIsGuessedFromWords(t *testing.T) {
	for text, want := range map[string]string{
		"My bike was stolen, the thief cut the lock":       "bicycle",
		"Someone stole the catalytic converter off my car": "vehicle",
		"I was mugged and they took my phone":              "theft",
		"Skradziono mi rower":                              "bicycle",
		"Ukradli mi portfel":                               "theft",
		"আমার সাইকেল চুরি হয়েছে":                          "bicycle",
		"I lost my wallet on the bus":                      "lost_property",
		"I found a purse in the park":                      "found_property",
		"They smashed our window and left graffiti":        "damage",
		"The neighbours have loud music every night":       "asb",
		"They shouted racist abuse and stole my bike":      "hate",
		"When is the station open?":                        "",
	} {
		r := triage.Assess(triage.Input{Text: text})
		if r.Category != want || r.Answers["category"] != want {
			t.Errorf("%q: %q, want %q", text, r.Category, want)
		}
	}
	if r := triage.Assess(triage.Input{Text: "my car", Answers: map[string]string{"category": "asb"}}); r.Category != "asb" {
		t.Errorf("what was answered was overruled by a guess: %q", r.Category)
	}
}

func FuzzAssess(f *testing.F) {
	for _, s := range []string{"he has a knife", "> a\nOn x wrote:\n> b", "সে আমাকে মারছে না", "\xff\xfe", "'’'", strings.Repeat("bije ", 1000), "...", "no"} {
		f.Add(s, s, true)
	}
	f.Fuzz(func(t *testing.T, subject, text string, reply bool) {
		in := triage.Input{Subject: subject, Text: text, Reply: reply}
		r := triage.Assess(in)
		if !reflect.DeepEqual(r, triage.Assess(in)) {
			t.Fatal("the same input gave two results")
		}
		if (r.Risk == triage.NoRisk) != (len(r.Reasons) == 0) {
			t.Fatalf("risk %q with reasons %+v", r.Risk, r.Reasons)
		}
		for _, reason := range r.Reasons {
			if reason.Quote == "" || !utf8.ValidString(reason.Quote) || len(reason.Quote) > 240 {
				t.Fatalf("quote %q", reason.Quote)
			}
		}
	})
}

package sim

import (
	"os"
	"testing"

	"example.org/c3i/routing"
	"example.org/c3i/routing/plan"
)

// smallPlan has two queues, one with hours, and handlers who take all channels.
const smallPlan = `
time_zone: Europe/London
default_queue: general
answer_within: {phone: 30s, email: 1h, web: 1h}
max_credit: 5m
short_abandon: 5s
skills: {crime: Crime, lang.en: English}
profiles:
  all: {skills: {crime: 3, lang.en: 5}, capacity: {phone: 1, email: 2, web: 2}}
  general: {skills: {lang.en: 5}, capacity: {phone: 1, email: 2}}
queues:
  crime: {label: Crime, needs: {crime: 1}}
  general: {label: General}
  property:
    label: Property
    needs: {crime: 1}
    hours: {mon-fri: "08:00-18:00"}
    closed_announcement: closed
rules:
  - {name: crime, when: 'answers.menu == "crime"', queue: crime}
  - {name: property, when: 'answers.menu == "property"', queue: property}
  - {name: vulnerable, when: 'caller.vulnerable', queue: general, credit: 1m}
offer:
  ring_for: {phone: 20s, email: 2m, web: 2m}
  no_answer_rest: 30s
  decline_rest: 10s
  failed_rest: 10s
  alert_after: 3
wrap_up: {limit: 2m, extension: 1m}
not_ready_reasons: {break: Break}
outcomes: {done: Done}
`

const smallModel = `
name: small
label: a small centre
start: 2014-10-27
per_day: 900
hours: [1, 1, 1, 1, 1, 1, 2, 4, 6, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 5, 3, 2, 1, 1]
talk: {law: lognormal, median: 120s, mean: 180s}
wrap_up: {law: lognormal, median: 60s, mean: 100s}
patience: {law: exponential, mean: 2m}
answering: {delay: {law: lognormal, median: 3s, mean: 4s}, missed: 0.03, connect: 200ms}
mix:
  - {name: crime, share: 40, language: en, answers: {menu: crime}, vulnerable: 0.1}
  - {name: other, share: 35, language: en, frequent: 0.1}
  - {name: property, share: 5, answers: {menu: property}}
  - {name: mail, share: 15, channel: email}
  - {name: form, share: 5, channel: web, talk: {law: constant, mean: 5m}}
staff:
  - {profile: all, per_hour: [1, 1, 1, 1, 1, 1, 2, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3, 3, 2, 2, 1]}
  - {profile: general, per_hour: [0, 0, 0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 0, 0, 0]}
`

func small(t testing.TB) *Model {
	t.Helper()
	m, err := ParseModel("small.yaml", []byte(smallModel))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func modelled(t testing.TB, m *Model, days int) *Modelled {
	t.Helper()
	s, err := m.Modelled("", days, 0)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func compiled(t testing.TB, name, source string) *routing.Plan {
	t.Helper()
	p, problems := plan.Compile(name, 1, []byte(source))
	if p == nil {
		t.Fatal(problems)
	}
	return p
}

func read(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

package journal_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/routing/journal"
)

// everyEvent lists one of each kind with every field set.
func everyEvent() []routing.Event {
	facts := contact.Facts{
		Language: "pl", Answers: map[string]string{"menu": "crime"}, Dialled: "101", CLI: contact.CLIWithheld, Person: "01PERSON",
		Contacts30d: 3, OpenReports: 1, Vulnerable: true, RepeatVictim: true, Preferred: "amber", UnsafeToCall: true,
	}
	return []routing.Event{
		routing.Tick{},
		routing.PlanPublished{Version: 3, Source: "a plan"},
		routing.HoursChanged{Queue: "crime", Open: true},
		routing.AgentSignedOn{Agent: "amber", Profile: "crime-desk", DeviceUp: true},
		routing.AgentReady{Agent: "amber"},
		routing.AgentNotReady{Agent: "amber", Reason: "lunch"},
		routing.AgentSignedOff{Agent: "amber"},
		routing.AgentPresence{Agent: "amber", Up: true},
		routing.DeviceChanged{Agent: "amber", Up: true},
		routing.ContactArrived{Contact: "01CALL", Channel: contact.Phone, Arrival: 17, Facts: facts, Queue: "crime"},
		routing.OfferAccepted{Offer: 4, Agent: "amber"},
		routing.OfferDeclined{Offer: 4, Agent: "amber", Reason: "known_to_me"},
		routing.OfferFailed{Offer: 4, Agent: "amber", Cause: "busy"},
		routing.Connected{Contact: "01CALL", Agent: "amber"},
		routing.ConnectFailed{Contact: "01CALL", Agent: "amber", Cause: "leg_lost", CallerHere: true},
		routing.ContactReleased{Contact: "01CALL", Cause: routing.ReleasedByHandler, Seen: 2},
		routing.CallbackAsked{Contact: "01CALL"},
		routing.CallbackFailed{Contact: "01CALL", Agent: "amber", Cause: "busy", Final: true},
		routing.CallbackHoursChanged{Queue: "crime", Open: true},
		routing.WrapUpDone{Contact: "01CALL", Agent: "amber", Outcome: "crime_recorded", Seen: 2},
		routing.WrapUpExtended{Contact: "01CALL", Agent: "amber"},
		routing.MessageJoined{Contact: "01CALL"},
		routing.ControlAsked{Contact: "01CALL", Agent: "amber", Verb: routing.VerbDTMF, Digits: "12#"},
		routing.ControlDone{Contact: "01CALL", Agent: "amber", Verb: routing.VerbHold, Cause: "not_up"},
	}
}

func compile(version int, source string) (*routing.Plan, error) {
	if source == "bad" {
		return nil, errors.New("this plan is bad")
	}
	return &routing.Plan{Version: version}, nil
}

func TestEveryEventRoundTrips(t *testing.T) {
	seen := map[string]bool{}
	for _, ev := range everyEvent() {
		kind, data, err := journal.Encode(ev)
		if err != nil {
			t.Fatalf("%T: %v", ev, err)
		}
		if seen[kind] {
			t.Errorf("two events of kind %s", kind)
		}
		seen[kind] = true
		for i, n := 0, reflect.TypeOf(ev).NumField(); i < n; i++ {
			if f := reflect.TypeOf(ev).Field(i); f.Name != "Plan" && reflect.ValueOf(ev).Field(i).IsZero() {
				t.Errorf("%s.%s is not set: the round trip would not show it", kind, f.Name)
			}
		}
		got, err := journal.Decode(kind, data, compile)
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		if p, is := got.(routing.PlanPublished); is {
			if p.Plan == nil || p.Plan.Version != 3 {
				t.Error("the plan was not compiled from its source")
			}
			p.Plan = nil
			got = p
		}
		if diff := cmp.Diff(ev, got); diff != "" {
			t.Errorf("%s changed on its way (-written +read):\n%s", kind, diff)
		}
	}
}

func TestDecodeIsStrict(t *testing.T) {
	for name, c := range map[string]struct{ kind, data, code, says string }{
		"unknown kind":     {"agent_retired", `{}`, "unknown_kind", `"agent_retired" is not known`},
		"unknown field":    {"agent_ready", `{"agent":"a","mood":"good"}`, "bad_event", "mood"},
		"deep unknown":     {"contact_arrived", `{"contact":"c","facts":{"number":"1"}}`, "bad_event", "number"},
		"wrong type":       {"agent_ready", `{"agent":7}`, "bad_event", "agent"},
		"not an object":    {"tick", `null`, "bad_event", "not a JSON object"},
		"a list":           {"tick", `[]`, "bad_event", "not a JSON object"},
		"nothing":          {"tick", ``, "bad_event", "not a JSON object"},
		"cut short":        {"agent_ready", `{"agent":"a"`, "bad_event", "EOF"},
		"two events":       {"tick", `{}{}`, "bad_event", "follows"},
		"offer not number": {"offer_accepted", `{"offer":-1,"agent":"a"}`, "bad_event", "offer"},
		"plan is bad":      {"plan_published", `{"version":1,"source":"bad"}`, "bad_plan", "this plan is bad"},
	} {
		t.Run(name, func(t *testing.T) {
			ev, err := journal.Decode(c.kind, []byte(c.data), compile)
			var bad *journal.DecodeError
			if !errors.As(err, &bad) || bad.Code != c.code || !strings.Contains(err.Error(), c.says) || ev != nil {
				t.Errorf("got %v, %v; want code %s saying %q", ev, err, c.code, c.says)
			}
		})
	}
	if _, err := journal.Decode("plan_published", []byte(`{"version":1,"source":""}`), nil); err == nil {
		t.Error("a plan was decoded with nothing to compile it")
	}
}

// The journal holds no personal data: what tells who is calling cannot be
// reached from any event.
func TestNoEventCanCarryACaller(t *testing.T) {
	banned := map[reflect.Type]bool{reflect.TypeFor[contact.Caller](): true, reflect.TypeFor[contact.Outcome](): true}
	var walk func(t *testing.T, path string, typ reflect.Type)
	walk = func(t *testing.T, path string, typ reflect.Type) {
		if banned[typ] {
			t.Errorf("%s is %s, which is personal data", path, typ)
		}
		switch typ.Kind() {
		case reflect.Struct:
			for i := range typ.NumField() {
				if f := typ.Field(i); f.Tag.Get("json") != "-" {
					walk(t, path+"."+f.Name, f.Type)
				}
			}
		case reflect.Map, reflect.Slice, reflect.Pointer, reflect.Array:
			walk(t, path+"[]", typ.Elem())
		}
	}
	for _, ev := range everyEvent() {
		walk(t, ev.Kind(), reflect.TypeOf(ev))
	}
}

func FuzzDecode(f *testing.F) {
	for _, ev := range everyEvent() {
		kind, data, err := journal.Encode(ev)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(kind, []byte(data))
	}
	f.Add("tick", []byte(`{"x":{}}`))
	f.Add("no", []byte(`{`))
	f.Fuzz(func(t *testing.T, kind string, data []byte) {
		ev, err := journal.Decode(kind, data, compile)
		if err != nil {
			var bad *journal.DecodeError
			if !errors.As(err, &bad) || ev != nil {
				t.Fatalf("%v with event %v", err, ev)
			}
			return
		}
		if ev.Kind() != kind {
			t.Fatalf("kind %s gave a %s", kind, ev.Kind())
		}
		// What was read is written and read the same.
		_, again, err := journal.Encode(ev)
		if err != nil || !json.Valid(again) {
			t.Fatalf("written again: %s, %v", again, err)
		}
		twin, err := journal.Decode(kind, again, compile)
		if err != nil {
			t.Fatalf("read again: %v", err)
		}
		if _, third, _ := journal.Encode(twin); string(third) != string(again) {
			t.Fatalf("%s then %s", again, third)
		}
	})
}

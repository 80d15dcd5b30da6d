package plan

import (
	_ "embed"
	"encoding/json"

	"example.org/c3i/contact"
)

//go:embed schema.json
var schema []byte

// Schema is the JSON Schema (draft 2020-12) of a plan, for editors: it offers
// keys and says what they are. It knows shapes only; Parse checks all the rest.
func Schema() []byte { return append([]byte(nil), schema...) }

// node is a JSON Schema.
type node = map[string]any

func words(about string) node { return node{"type": "string", "minLength": 1, "description": about} }

func refTo(name, about string) node {
	return node{"$ref": "#/$defs/" + name, "description": about}
}

// object is a mapping with fixed keys.
func object(about string, keys node, required ...string) node {
	n := node{"type": "object", "description": about, "properties": keys, "additionalProperties": false}
	if len(required) > 0 {
		n["required"] = required
	}
	return n
}

// named is a mapping whose keys are names people choose.
func named(about string, value node) node {
	return node{
		"type": "object", "description": about, "additionalProperties": value,
		"propertyNames": node{"pattern": "^[a-z][a-z0-9_.-]{0,63}$"},
	}
}

func list(about string, item node) node {
	return node{"type": "array", "description": about, "items": item}
}

func whole(about string, least, most int) node {
	return node{"type": "integer", "minimum": least, "maximum": most, "description": about}
}

func truth(about string) node { return node{"type": "boolean", "description": about} }

func perChannel(about string, value func(contact.Channel) node) node {
	keys := node{}
	for _, c := range contact.Channels() {
		keys[string(c)] = value(c)
	}
	return object(about, keys)
}

// makeSchema builds the schema that schema.json holds.
func makeSchema() ([]byte, error) {
	span := func(about string) node { return refTo("span", about) }
	spans := func(about string) node {
		return perChannel(about, func(c contact.Channel) node { return span("For " + string(c) + ".") })
	}
	levels := refTo("levels", "Skill and least level, 1 (learning) to 5 (expert).")
	wrapUp := refTo("wrapUp", "The work after a conversation.")
	announce := refTo("announce", "When waiting callers are told position and wait, which never grow.")
	overflow := list("Where contacts go as they age, keeping their place.", object("One step.", node{
		"after": span("Age, from the contact's arrival."), "to": words("A queue of the plan."),
	}, "after", "to"))
	codes := func(about string) node { return named(about, words("What people see.")) }
	hours := node{"type": "string", "description": "closed, open, or times such as 08:00-18:00."}

	root := object("Which contacts go to which handlers, and how soon.", node{
		"time_zone":        words("IANA name of the zone that hours and holidays are in, for example Europe/London."),
		"default_queue":    words("Where a contact goes that no rule matches."),
		"answer_within":    spans("How soon contacts should be answered, unless their queue says otherwise."),
		"max_credit":       span("The most a rule may bring a contact forward."),
		"short_abandon":    span("A caller who leaves sooner than this is a short abandon."),
		"ring_back_window": span("How long the place of a caller who hung up is kept for their line; 0 keeps none."),
		"announce":         announce,
		"holidays":         node{"type": "object", "description": "Dates (2026-12-25) with other hours.", "additionalProperties": hours},
		"skills":           codes("What a contact may need and a handler may have."),
		"profiles": named("Kinds of handler.", object("A kind of handler.", node{
			"skills": levels,
			"capacity": perChannel("How many contacts may be in hand at once.", func(c contact.Channel) node {
				most := 100
				if c == contact.Phone {
					most = 1
				}
				return whole("For "+string(c)+".", 0, most)
			}),
			"interruptible": list("Written channels a call may interrupt; absent, they go on beside it.", node{"enum": []string{"email", "web"}}),
		})),
		"queues": named("Where contacts wait.", object("A queue.", node{
			"label":          words("What people see."),
			"answer_within":  spans("How soon contacts of this queue should be answered."),
			"needs":          levels,
			"language_skill": truth("Whether the language a caller chose is needed, as the skill lang.<code>."),
			"hours": node{
				"type": "object", "description": "Opening hours by day (mon, mon-fri, …); absent means always.",
				"additionalProperties": hours,
			},
			"closed_announcement": words("The prompt callers hear outside the hours."),
			"wrap_up":             wrapUp,
			"relax": object("How needs widen with a contact's age.", node{
				"steps": list("In order of age.", object("One step.", node{
					"after": span("Age, from the contact's arrival."), "name": words("Shown in explanations."),
					"needs":        refTo("levels", "What stands instead of the queue's and the rule's needs; {} for nothing."),
					"any_language": truth("Drops the language too."),
				}, "after", "name", "needs")),
				"last": words("The name of the last step: it is safe to end on."),
			}, "steps", "last"),
			"overflow": overflow,
			"preferred": object("How a contact waits for the handler it prefers.", node{
				"wait": span("From joining the queue; 0 prefers without waiting."),
			}, "wait"),
			"announce": announce,
			"callback": object("When and how callers who wait may be rung back, keeping their place.", node{
				"over":     span("Offered when the expected wait is longer than this; absent, to all who have to wait."),
				"attempts": whole("How often a caller is rung.", 1, 10),
				"spacing":  span("From an attempt that failed to the next."),
				"ring":     span("How long each attempt rings."),
				"hours": node{
					"type": "object", "description": "When people may be rung, by day (mon, mon-fri, …); absent means always.",
					"additionalProperties": hours,
				},
			}),
		})),
		"rota": named("Which kinds of handler are on duty when, for the checks alone.", node{"anyOf": []any{
			node{"const": "always"},
			node{"type": "object", "description": "Hours by day (mon, mon-fri, …).", "additionalProperties": hours},
		}}),
		"surges": named("Overlays a supervisor switches on and off.", object("A surge.", node{
			"label": words("What people see."),
			"queues": named("What changes, by queue.", object("What changes in the queue.", node{
				"answer_within": spans("Targets of contacts that arrive while it is on."), "overflow": overflow, "announce": announce,
			})),
		}, "queues")),
		"rules": list("The first whose condition is true decides.", object("A rule.", node{
			"name":  words("Unique, shown in explanations."),
			"when":  node{"type": []string{"string", "boolean"}, "description": "The condition, for example answers.menu == \"crime\"."},
			"queue": words("A queue of the plan."), "credit": span("Brings the contact forward."),
			"risk_to_life": truth("Puts the contact before all others."), "needs": levels,
		}, "name", "when", "queue")),
		"offer": object("How contacts are offered.", node{
			"ring_for": spans("How long an offer stands."), "no_answer_rest": span("Rest after no answer; 0 makes not ready."),
			"decline_rest": span("Rest after declining."), "failed_rest": span("Rest after the phone could not be reached."),
			"alert_after": whole("Misses in a row before a supervisor is alerted.", 1, 100),
		}),
		"wrap_up":           wrapUp,
		"not_ready_reasons": codes("Why a handler may be not ready."),
		"outcomes":          codes("How a contact may be closed."),
	}, "time_zone", "default_queue", "profiles", "queues", "not_ready_reasons", "outcomes")
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "C3i plan"
	root["$defs"] = node{
		"span": node{"anyOf": []node{
			{"type": "string", "pattern": "^([0-9]+d|([0-9]+(\\.[0-9]+)?(h|m|s|ms))+)$"},
			{"const": 0},
		}},
		"levels": named("Skill and level.", whole("From 1 (learning) to 5 (expert).", 1, 5)),
		"wrapUp": object("The work after a conversation.", node{
			"limit": span("Ends it; 0 means none."), "extension": span("May be asked for once."),
		}),
		"announce": node{"anyOf": []node{
			{"const": "never"},
			object("When callers are told.", node{"first": span("From joining the queue."), "every": span("From one to the next.")}, "every"),
		}},
	}
	b, err := json.MarshalIndent(root, "", "  ")
	return append(b, '\n'), err
}

package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"

	"example.org/c3i/intake/web/form"
)

type object = map[string]any

// openAPI is the description of the API, made from the Go types and the form.
func (s *Server) openAPI() ([]byte, error) {
	schemas := object{}
	r := jsonschema.Reflector{Anonymous: true, ExpandedStruct: false, AllowAdditionalProperties: false}
	for _, v := range []any{NewReport{}, Made{}, State{}, MoreInformation{}, Added{}, Problem{}} {
		for name, schema := range r.ReflectFromType(reflect.TypeOf(v)).Definitions {
			b, err := json.Marshal(schema)
			if err != nil {
				return nil, err
			}
			var o object
			if err := json.Unmarshal([]byte(strings.ReplaceAll(string(b), "#/$defs/", "#/components/schemas/")), &o); err != nil {
				return nil, err
			}
			schemas[name] = o
		}
	}
	answers, item := s.answerSchema()
	report, _ := schemas["NewReport"].(object)
	fields, _ := report["properties"].(object)
	about, _ := fields["answers"].(object)
	answers["description"] = about["description"]
	fields["answers"] = answers
	schemas["Item"] = item
	ref := func(name string) object { return object{"$ref": "#/components/schemas/" + name} }
	content := func(kind, name string, example any) object {
		m := object{"schema": ref(name)}
		if example != nil {
			m["example"] = example
		}
		return object{kind: m}
	}
	refused := object{"description": "Refused, and why.", "content": content("application/problem+json", "Problem", nil)}
	answersOf := func(status, text, name string, example any, refusals ...string) object {
		o := object{status: object{"description": text, "content": content("application/json", name, example)}}
		for _, code := range append(refusals, "400", "401", "408", "413", "429", "503") {
			o[code] = refused
		}
		return o
	}
	once := object{"name": "Idempotency-Key", "in": "header", "required": true, "schema": object{"type": "string", "maxLength": 200}, "description": "A key of its own for each request; the same when it is repeated. A repeat is answered as the first was, for seven days."}
	reference := object{"name": "reference", "in": "path", "required": true, "schema": object{"type": "string"}, "description": "The reference of a report that this partner made."}
	doc := object{
		"openapi": "3.1.0",
		"info": object{
			"title": "Reports from partners' portals", "version": "1",
			"description": "Makes reports to the police for people who use a partner's portal, and says where they stand. Never send emergencies: answers that say that somebody may be at risk are refused with the code `stop`.",
		},
		"servers":  []any{object{"url": "/"}},
		"security": []any{object{"signature": []any{}}},
		"paths": object{
			"/api/v1/reports": object{"post": object{
				"operationId": "createReport", "summary": "Make a report", "parameters": []any{once},
				"requestBody": object{"required": true, "content": content("application/json", "NewReport", ExampleReport())},
				"responses":   answersOf("201", "Accepted, and safe. The reporter must be shown the reference and the secret.", "Made", Made{"BCDF-GHJK-M", "BCDF-GHJK-MNPQ", "received"}, "422"),
			}},
			"/api/v1/reports/{reference}": object{"get": object{
				"operationId": "readReport", "summary": "Where a report stands", "parameters": []any{reference},
				"responses": answersOf("200", "Where it stands.", "State", State{Reference: "BCDF-GHJK-M", External: "PORTAL-2026-0017", Status: "new", Received: "2026-03-27T12:00:00.000Z", Changed: "2026-03-27T12:00:01.000Z", TrackingAt: "/track"}, "404"),
			}},
			"/api/v1/reports/{reference}/information": object{"post": object{
				"operationId": "addInformation", "summary": "Add to a report", "parameters": []any{reference, once},
				"requestBody": object{"required": true, "content": content("application/json", "MoreInformation", MoreInformation{Text: "The reporter has found the receipt."})},
				"responses":   answersOf("202", "Accepted, and safe.", "Added", Added{"received"}, "404", "422"),
			}},
		},
		"components": object{
			"schemas": schemas,
			"securitySchemes": object{"signature": object{
				"type": "http", "scheme": Scheme,
				"description": "Authorization: " + Scheme + " key=KEY, time=UNIX, nonce=NONCE, signature=BASE64. The signature is HMAC-SHA256 with the key's secret over five lines joined by a line feed: the method, the path without a query, the time, the nonce, and the lower-case hex SHA-256 of the body. The time may be 5 minutes off; a nonce of 16 to 100 characters is used once.",
			}},
		},
	}
	b, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("web: openapi: %w", err)
	}
	return append(b, '\n'), nil
}

// answerSchema describes the answers, and those of an item, from the form.
func (s *Server) answerSchema() (answers, item object) {
	l := s.texts.Languages[0]
	all, one := object{}, object{}
	for _, step := range s.form.Steps {
		if step.More != "" || templateOf(step) == "files" {
			continue
		}
		into := all
		if step.List != "" {
			into = one
		}
		for _, f := range step.Fields {
			o := object{"type": "string", "description": l.Steps[step.ID].Title + " " + l.Fields[f.Name].Label}
			switch f.Kind {
			case form.Radios:
				o["enum"] = f.Options
			case form.Checkboxes:
				choices := strings.Join(f.Options, "|")
				o["pattern"] = "^(" + choices + ")(,(" + choices + "))*$"
			case form.Date:
				o["format"] = "date"
			case form.Email:
				o["format"] = "email"
			case form.Time:
				o["pattern"] = "^([01]?[0-9]|2[0-3])[:.]?[0-5][0-9]$"
			}
			if len(f.Options) == 0 && f.Kind != form.Date {
				o["maxLength"] = f.Most
			}
			into[f.Name] = o
		}
	}
	shape := func(properties object) object {
		return object{"type": "object", "additionalProperties": false, "properties": properties}
	}
	return shape(all), shape(one)
}

// ExampleReport is a whole report that the form accepts.
func ExampleReport() NewReport {
	return NewReport{
		Language: "en", External: "PORTAL-2026-0017",
		Answers: map[string]string{
			"emergency": "no", "category": "theft", "harm": "none", "involved": "victim",
			"what": "My rucksack was taken from the rack while I was looking at books.", "from_date": "2026-03-26", "from_time": "17:30", "exact": "approximate",
			"place": "The library, 12 High Street", "place_postcode": "SW1A 1AA", "transport": "no", "stolen_from": "building", "suspect": "nothing",
			"witnesses": "no", "evidence": "none", "anonymous": "no", "given_name": "Sam", "surname": "Example", "born": "1980-03-31", "gender": "not_specified",
			"email": "sam@example.org", "phone": "07700 900123", "safe": "any", "updates": "email", "consent_contact": "yes", "support": "no",
			"needs": "none", "before": "nothing", "otherwise": "call_101",
		},
		Items: []Item{{"item_kind": "bag", "item_about": "Blue rucksack with a torn pocket", "item_value": "45"}},
	}
}

// Problems lists the kinds of problem, for the documents.
func Problems() []string { return slices.Sorted(maps.Keys(problems)) }

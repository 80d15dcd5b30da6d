package web

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/intake/inbox"
	"example.org/c3i/intake/web/form"
)

// categoryOf is a report's category: lost and found are two.
func categoryOf(a form.Answers) string {
	if a["category"] == "property" && a["lost_found"] != "" {
		return a["lost_found"] + "_property"
	}
	if a["category"] == "" {
		return "other"
	}
	return a["category"]
}

// report lays a submission's answers out as a report. The answers themselves stay
// with it, as they were given.
func (s *Server) report(it inbox.Item, sub submission, person contact.PersonID) crm.Report {
	a := sub.Answers
	r := crm.Report{
		ID: sub.IDs.Report, Created: it.At, Reference: sub.IDs.Reference, Status: crm.StatusNew, Channel: channel, Method: "web_form",
		Category: categoryOf(a), Summary: a["what"], Language: sub.Language, Needs: listed(a["needs"]), Hate: listed(a["hate"]),
		Exact: a["exact"] == "exact", Answers: map[string]string{}, Attachments: sub.Attachments,
		HighHarm: a["harm"] != "" && a["harm"] != "none",
		Place:    crm.Place{Text: a["place"], Postcode: a["place_postcode"], Source: "caller"},
	}
	if sub.Partner != "" {
		r.Method = "partner_system"
		r.Answers["partner"], r.Answers["partner_reference"] = sub.Partner, sub.External
	}
	if sub.Kind != kindReport {
		r.Answers["stopped"] = "yes"
	}
	for k, v := range a {
		if v != "" && !private(k) {
			r.Answers[k] = v
		}
	}
	if r.Summary == "" {
		r.Summary = sub.Text
	}
	if from, ok := form.Moment(a["from_date"], a["from_time"], false, s.o.Zone); ok {
		r.From = contact.At(from)
		r.To = r.From
		day := a["to_date"]
		if day == "" && a["to_time"] != "" {
			day = a["from_date"]
		}
		if to, ok := form.Moment(day, a["to_time"], true, s.o.Zone); ok {
			r.To = min(contact.At(to), max(it.At, r.From))
		}
	}
	r.Parties = parties(sub, person)
	r.Property = property(a)
	r.Vehicles = vehicles(a)
	return r
}

// private tells answers that are kept on the person and nowhere else.
func private(key string) bool {
	return slices.Contains([]string{"given_name", "surname", "born", "gender", "email", "phone", "home", "home_postcode", "safe_phrase", "safe_times"}, key)
}

func yes(v string) *bool {
	if v == "" {
		return nil
	}
	is := v == "yes"
	return &is
}

// parties are the people of a report. The reporter is the first: the secret is theirs.
func parties(sub submission, person contact.PersonID) []crm.Party {
	a := sub.Answers
	name := strings.TrimSpace(a["given_name"] + " " + a["surname"])
	if name == "" {
		name = sub.Name
	}
	if name == "" {
		name = "Anonymous"
	}
	me := crm.Party{
		Person: person, Name: name, Roles: []crm.PartyRole{crm.RoleReporter}, Relationship: a["suspect_relation"],
		WantsSupport: yes(a["support"]), ConsentContact: yes(a["consent_contact"]), UpdatesBy: a["updates"],
	}
	if a["safe"] == "never" {
		me.UpdatesBy = "none"
	}
	switch a["involved"] {
	case "victim":
		me.Roles = append(me.Roles, crm.RoleVictim)
	case "witness":
		me.Roles = append(me.Roles, crm.RoleWitness)
		me.Statement = a["what"]
	}
	out := []crm.Party{me}
	if a["involved"] == "for_victim" {
		victim := crm.Party{Name: a["victim_name"], Roles: []crm.PartyRole{crm.RoleVictim}, UnderEighteen: a["victim_young"] == "yes"}
		if victim.Name == "" {
			victim.Name = "Not named by the reporter"
		}
		victim.Description = map[string]string{"yes": "Knows of this report.", "no": "Does not know of this report.", "unsure": "May not know of this report."}[a["victim_knows"]]
		out = append(out, victim)
	}
	if a["involved"] == "for_business" && a["business_name"] != "" {
		out = append(out, crm.Party{Name: a["business_name"], Roles: []crm.PartyRole{crm.RoleVictim}, Description: "A business or organisation."})
	}
	if about := strings.TrimSpace(a["suspect_known_about"] + a["suspect_about"]); about != "" || a["suspect_name"] != "" {
		out = append(out, crm.Party{Name: a["suspect_name"], Roles: []crm.PartyRole{crm.RoleSuspect}, Description: about, Relationship: a["suspect_relation"]})
	}
	if a["witness_about"] != "" {
		out = append(out, crm.Party{Name: "Witness named by the reporter", Roles: []crm.PartyRole{crm.RoleWitness}, Description: a["witness_about"]})
	}
	return out
}

func pence(v string) int64 {
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// numberTypes say what the unique number of a thing is.
var numberTypes = map[string]string{"phone": "imei", "computer": "serial", "cards": "account", "documents": "document", "bicycle": "frame"}

var (
	imei    = regexp.MustCompile(`^[0-9]{15}$`)
	vinForm = regexp.MustCompile(`^[A-HJ-NPR-Z0-9]{5,17}$`)
)

// property are the things of a report.
func property(a form.Answers) []crm.Property {
	status := "stolen"
	switch categoryOf(a) {
	case "lost_property":
		status = "lost"
	case "found_property":
		status = "found"
	}
	var out []crm.Property
	for n := range a.Count("item") {
		e := a.Entry("item", n)
		p := crm.Property{
			Status: status, Category: e["item_kind"], Description: e["item_about"], Make: e["item_make"], Model: e["item_model"],
			Colour: e["item_colour"], ValuePence: pence(e["item_value"]), Unique: e["item_number"],
		}
		if p.Unique != "" {
			if p.UniqueType = numberTypes[p.Category]; p.UniqueType == "" || p.UniqueType == "imei" && !imei.MatchString(p.Unique) {
				p.UniqueType = "serial"
			}
		}
		out = append(out, p)
	}
	if a["category"] == "bicycle" && a["bike_colour"] != "" {
		p := crm.Property{
			Status: "stolen", Category: "bicycle", Make: a["bike_make"], Model: a["bike_model"], Colour: a["bike_colour"],
			ValuePence: pence(a["bike_value"]), Unique: a["bike_frame"],
		}
		if p.Unique != "" {
			p.UniqueType = "frame"
		}
		if a["bike_mark"] != "" {
			p.Description = "Security mark " + a["bike_mark"]
			if p.Unique == "" {
				p.Unique, p.UniqueType = a["bike_mark"], "security_mark"
			}
		}
		out = append(out, p)
	}
	if a["damage"] != "" && a["damage"] != "vehicle" {
		out = append(out, crm.Property{Status: "damaged", Category: a["damage"], Description: a["damage_about"], ValuePence: pence(a["damage_value"])})
	}
	return out
}

// vehicles are the vehicles of a report.
func vehicles(a form.Answers) []crm.Vehicle {
	var out []crm.Vehicle
	if a["vehicle_what"] != "" {
		vin := strings.ToUpper(strings.Join(strings.Fields(a["vehicle_vin"]), ""))
		if !vinForm.MatchString(vin) {
			vin = "" // it stays among the answers as it was written
		}
		status := a["vehicle_what"]
		if status == "from" {
			status = "involved"
		}
		out = append(out, crm.Vehicle{Status: status, VRM: a["vehicle_plate"], VIN: vin, Make: a["vehicle_make"], Model: a["vehicle_model"], Colour: a["vehicle_colour"]})
	}
	if a["damage"] == "vehicle" {
		out = append(out, crm.Vehicle{Status: "damaged", VRM: a["damaged_plate"], Make: a["damaged_make"], Model: a["damaged_model"], Colour: a["damaged_colour"]})
	}
	return out
}

// subject is one line about a submission, for lists at the desk.
func (s *Server) subject(sub submission) string {
	l := s.texts.Languages[0]
	what := l.Option("category", sub.Answers["category"])
	switch sub.Kind {
	case kindCallBack:
		return "Ring back now: stopped web report"
	case kindTold:
		return "Web report stopped: high harm"
	case kindAdd:
		return "More about " + sub.IDs.Reference
	case kindWithdraw:
		return "Withdraws: " + sub.IDs.Reference
	case kindReport:
	}
	if what == "" {
		what = "Report"
	}
	return what
}

// inWords is everything that was sent, question by question, in the words that
// handlers read. The answers are as they were written.
func (s *Server) inWords(sub submission) string {
	var b strings.Builder
	line := func(label, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", label, strings.ReplaceAll(value, "\n", "\n  "))
		}
	}
	switch sub.Kind {
	case kindCallBack:
		b.WriteString("Asks to be rung now. The form was stopped because of what was answered.\n")
	case kindTold:
		b.WriteString("The form was stopped because of what was answered. This is what had been written.\n")
	case kindWithdraw:
		b.WriteString("Does not wish to go on with the report.\n")
	case kindReport, kindAdd:
	}
	line("Ring", sub.Phone)
	line("Name", sub.Name)
	if sub.Partner != "" {
		line("Sent by", sub.Partner)
		line("Their reference", sub.External)
	}
	if sub.Text != "" {
		b.WriteString(sub.Text + "\n")
	}
	p := &page{s: s, Lang: s.texts.Languages[0]}
	for _, step := range s.form.Steps {
		if step.List != "" {
			for n := range sub.Answers.Count(step.List) {
				line(p.T("item_n", "n", strconv.Itoa(n+1)), p.entry(step, sub.Answers.Entry(step.List, n)))
			}
			continue
		}
		if step.More != "" {
			continue
		}
		for _, f := range step.Fields {
			line(p.Lang.Fields[f.Name].Label, p.shown(f, sub.Answers[f.Name]))
		}
	}
	return strings.TrimSpace(b.String())
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"example.org/c3i/agentdesk"
	"example.org/c3i/configs"
	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/search"
	"example.org/c3i/intake/triage"
)

// finder looks things up for desks.
type finder struct {
	index *search.Index
	store *crm.Store
}

// Find implements agentdesk.Finder.
func (s finder) Find(ctx context.Context, q agentdesk.SearchRequest) (agentdesk.SearchReply, error) {
	in := search.Query{Text: q.Query, Limit: q.Limit}
	for _, k := range q.Kinds {
		in.Kinds = append(in.Kinds, search.Kind(k))
	}
	found, err := s.index.Query(ctx, in)
	if err != nil {
		return agentdesk.SearchReply{}, err
	}
	people, reports, err := s.restricted(ctx, found.Hits)
	if err != nil {
		return agentdesk.SearchReply{}, err
	}
	out := agentdesk.SearchReply{Hits: make([]agentdesk.SearchHit, 0, len(found.Hits)), More: found.More || found.Partial}
	for _, h := range found.Hits {
		hit := agentdesk.SearchHit{Kind: string(h.Kind), ID: h.ID, At: h.When, Person: h.Person, Report: crm.ReportID(h.Report), Restricted: h.Restricted}
		// What was written in a restricted matter is as restricted as its record.
		switch {
		case h.Restricted:
		case h.Kind == search.Person:
			hit.Restricted = people[h.Person] // as whom they were merged into
		case people[h.Person]:
			hit.Restricted, hit.Behind = true, "person "+string(h.Person)
		case h.Kind != search.Report && reports[crm.ReportID(h.Report)]:
			hit.Restricted, hit.Behind = true, "report "+h.Report
		}
		if len(h.Refs) > 0 {
			hit.Reference = h.Refs[0]
		}
		if hit.Title = h.Title; hit.Title == "" {
			hit.Title = first(h.Names, h.Emails, h.Numbers, h.Refs)
		}
		hit.Detail = strings.Join(distinct(hit.Title, h.Names, []string{h.Born}, h.Refs, h.Postcodes, h.Vehicles, h.Emails, h.Numbers), " · ")
		for _, f := range h.Matched {
			because := becauseOf[f]
			if f == search.FieldName && h.Rank == search.SoundsAlike {
				because = "sound"
			}
			hit.Because = append(hit.Because, because)
		}
		out.Hits = append(out.Hits, hit)
	}
	return out, nil
}

// restricted tells which of the records that hits belong to are restricted.
func (s finder) restricted(ctx context.Context, hits []search.Hit) (map[contact.PersonID]bool, map[crm.ReportID]bool, error) {
	var people []contact.PersonID
	var reports []crm.ReportID
	for _, h := range hits {
		if h.Person != "" && !slices.Contains(people, h.Person) {
			people = append(people, h.Person)
		}
		if id := crm.ReportID(h.Report); id != "" && !slices.Contains(reports, id) {
			reports = append(reports, id)
		}
	}
	return s.store.Restricted(ctx, people, reports)
}

// becauseOf are the words of the desk's protocol for what a search matched.
var becauseOf = map[search.Field]string{
	search.FieldName: "name", search.FieldNumber: "number", search.FieldEmail: "email", search.FieldRef: "reference",
	search.FieldPostcode: "postcode", search.FieldVehicle: "vehicle", search.FieldUnique: "property", search.FieldText: "words",
	search.FieldBorn: "born",
}

// first is the first value of the first list that has one.
func first(lists ...[]string) string {
	for _, l := range lists {
		if len(l) > 0 {
			return l[0]
		}
	}
	return ""
}

// distinct lists one value of each list, leaving out the title.
func distinct(title string, lists ...[]string) []string {
	var out []string
	for _, l := range lists {
		if len(l) > 0 && l[0] != "" && l[0] != title {
			out = append(out, l[0])
		}
	}
	return out
}

// deskRecords gives the desk all sides of the records.
func deskRecords(o *agentdesk.Options, r *records) {
	o.Records, o.Messages, o.Reports, o.People = r.store, r.store, r.store, r.store
	o.Finder, o.Blobs, o.Trail = finder{r.index, r.store}, r.blobs, r.trail
	o.Triage, o.TriageAnswers = triageReasons, triageAnswers
}

// assessed says what a message may be about. It is pure: asked again, it says the
// same.
func assessed(m crm.Message, answers map[string]string) triage.Result {
	return triage.Assess(triage.Input{Channel: m.Channel, Subject: m.Subject, Text: m.Text, Answers: answers, Language: m.Language})
}

func triageReasons(m crm.Message, f contact.Facts) []agentdesk.TriageReason {
	var out []agentdesk.TriageReason
	told := map[string]bool{}
	for _, r := range assessed(m, f.Answers).Reasons {
		out, told[r.Code] = append(out, agentdesk.TriageReason{Code: r.Code, Sentence: r.Sentence, Quote: r.Quote}), true
	}
	// What was found when it came and does not follow from the text: answers of the web form.
	for code := range strings.FieldsSeq(f.Answers["risk_reasons"]) {
		if s := triage.Sentence(code); s != "" && !told[code] && strings.HasPrefix(code, "answer.") {
			out = append(out, agentdesk.TriageReason{Code: code, Sentence: s})
		}
	}
	return out
}

func triageAnswers(m crm.Message) map[string]string { return assessed(m, nil).Answers }

// answerTemplates reads the prepared answers of every language, built in or a
// site's own.
func answerTemplates(c configs.Desk) ([]agentdesk.TemplateText, error) {
	files, err := fs.Sub(configs.Files, "templates")
	if err != nil {
		return nil, err
	}
	if c.Answers != "" {
		files = os.DirFS(c.Answers)
	}
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("desk.answers: %s holds no prepared answers: they are named en.yaml, pl.yaml and so on", c.Answers)
	}
	var out []agentdesk.TemplateText
	var bad []error
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			bad = append(bad, fmt.Errorf("desk.answers: %s cannot be read: %w", name, bare(err)))
			continue
		}
		list, err := agentdesk.ParseTemplates(strings.TrimSuffix(name, ".yaml"), text)
		if err != nil {
			bad = append(bad, fmt.Errorf("desk.answers: %w", err))
			continue
		}
		out = append(out, list...)
	}
	return out, errors.Join(bad...)
}

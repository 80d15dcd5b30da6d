package crm

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
)

// shown is how much of a narrative a summary has, in characters.
const shown = 300

// summary is a report as lists show it: without series, answers, statements and
// files. Of a restricted one it says only that it is there.
func (r Report) summary() Report {
	s := Report{
		ID: r.ID, Version: r.Version, Kind: r.Kind, Created: r.Created, Changed: r.Changed, Reference: r.Reference,
		IncidentNumber: r.IncidentNumber, CrimeNumber: r.CrimeNumber, Status: r.Status, Owner: r.Owner, Channel: r.Channel,
		Grade: r.Grade, ReassessBy: r.ReassessBy, RecordBy: r.RecordBy, Restricted: r.Restricted, Marking: r.Marking, Retention: r.Retention,
	}
	if r.Restricted {
		return s
	}
	s.Method, s.Category, s.Opening, s.Closing, s.Offence, s.Outcome, s.Hate = r.Method, r.Category, r.Opening, r.Closing, r.Offence, r.Outcome, r.Hate
	s.Summary, s.From, s.To, s.Exact, s.Place = cut(r.Summary, shown), r.From, r.To, r.Exact, r.Place
	s.GradedBy, s.Language, s.Needs, s.Vulnerable = r.GradedBy, r.Language, r.Needs, r.Vulnerable
	s.RepeatVictim, s.RepeatBecause, s.HighHarm = r.RepeatVictim, r.RepeatBecause, r.HighHarm
	for _, p := range r.Parties {
		s.Parties = append(s.Parties, Party{ID: p.ID, Person: p.Person, Name: p.Name, Roles: p.Roles})
	}
	return s
}

func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// targets are the lists a report stands on: "p:PERSON", "l:LINE", "a:ADDRESS".
func (s *Store) targets(ctx context.Context, d reportDocument) ([]string, error) {
	var out []string
	add := func(t string) {
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	for _, p := range d.Parties {
		if p.Person == "" {
			continue
		}
		chain, err := s.chain(ctx, p.Person)
		if err != nil {
			return nil, err
		}
		for _, id := range chain {
			add("p:" + string(id))
		}
	}
	for _, line := range d.Lines {
		add("l:" + line)
	}
	if a := s.address(d.Place); a != "" {
		add("a:" + a)
	}
	slices.Sort(out)
	return out, nil
}

// projectReport brings every copy of a report up to date: people's lists, lines,
// address, open tasks, search. It goes round again when the report, or who is
// merged with whom, changed under its hands.
func (s *Store) projectReport(ctx context.Context, id ReportID) error {
	var mine []string // what this call has put, to be taken off if it no longer holds
	for range attempts {
		m, err := s.redis.HMGet(ctx, reportKey(id), "doc", "v", "made").Result()
		if err != nil {
			return fmt.Errorf("crm: read report: %w", err)
		}
		text, ok := m[0].(string)
		if !ok {
			return fmt.Errorf("report %s: %w", id, ErrNotFound)
		}
		version, _ := m[1].(string)
		made, _ := m[2].(string)
		d, err := decodeReport(id, text)
		if err != nil {
			return err
		}
		want, err := s.targets(ctx, d)
		if err != nil {
			return err
		}
		old := append(strings.Fields(made), mine...)
		all := union(old, want)
		if all != made {
			// Written before the copies are: what a crash leaves behind is then known.
			noted, err := s.eval(ctx, projectedLua, []string{reportKey(id)}, "v", version, all).Int()
			if err != nil {
				return err
			}
			if noted == 0 {
				continue
			}
		}
		mine = append(mine, want...)
		if err := s.putReport(ctx, d, version, want, old); err != nil {
			return err
		}
		if err := s.find(ctx, reportDoc(d.Report)); err != nil {
			return err
		}
		after, err := s.targets(ctx, d)
		if err != nil {
			return err
		}
		if slices.Equal(want, after) {
			last, err := s.eval(ctx, projectedLua, []string{reportKey(id)}, "v", version, strings.Join(want, " ")).Int()
			if err != nil || last == 1 {
				return err
			}
		}
	}
	return fmt.Errorf("crm: report %s changed too often to be listed", id)
}

func union(a, b []string) string {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return strings.Join(slices.Compact(out), " ")
}

func (s *Store) putReport(ctx context.Context, d reportDocument, version string, want, old []string) error {
	summary, err := json.Marshal(d.summary())
	if err != nil {
		return err
	}
	tasks, err := s.redis.HGetAll(ctx, tasksKey(d.ID)).Result()
	if err != nil {
		return err
	}
	open := "1"
	if closed(d.Status) {
		open = "0"
	}
	at := milliseconds(d.Created)
	_, err = s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, t := range want {
			kind, name, _ := strings.Cut(t, ":")
			switch kind {
			case "p":
				person := contact.PersonID(name)
				p.Eval(ctx, reportPutLua, personReportKeys(person), string(d.ID), at, version, summary, open)
				for _, u := range d.Updates {
					item, _ := json.Marshal(item{Kind: "update", Report: d.ID, Update: &u}) // plain values: cannot fail
					p.Eval(ctx, timelinePutLua, itemKeys(person), "u:"+string(d.ID)+":"+u.ID, milliseconds(u.At), version, item)
				}
			case "l":
				p.ZAdd(ctx, lineReportsKey(name), redis.Z{Score: float64(at), Member: string(d.ID)})
			case "a":
				p.ZAdd(ctx, addressReportsKey(name), redis.Z{Score: float64(at), Member: string(d.ID)})
			}
		}
		for _, t := range old {
			if slices.Contains(want, t) {
				continue
			}
			kind, name, _ := strings.Cut(t, ":")
			switch kind {
			case "p":
				person := contact.PersonID(name)
				p.Eval(ctx, reportPutLua, personReportKeys(person), string(d.ID), at, version, "", "0")
				for _, u := range d.Updates {
					p.Eval(ctx, timelineDropLua, itemKeys(person), "u:"+string(d.ID)+":"+u.ID, version)
				}
			case "l":
				p.ZRem(ctx, lineReportsKey(name), string(d.ID))
			case "a":
				p.ZRem(ctx, addressReportsKey(name), string(d.ID))
			}
		}
		for id, text := range tasks {
			s.indexTask(ctx, p, id, text)
		}
		return nil
	})
	return err
}

// ReportsOf lists the reports a person is a party to, newest first, as summaries:
// without series, answers, statements and files.
func (s *Store) ReportsOf(ctx context.Context, id contact.PersonID) ([]Report, error) {
	p, err := s.person(ctx, id)
	if err != nil {
		return nil, err
	}
	restricted, err := s.restricted(ctx, p)
	if err != nil {
		return nil, err
	}
	if err := s.opened(ctx, aboutPerson("", id), restricted); err != nil {
		return nil, err
	}
	keys := personReportKeys(id)
	return decodeReports(s.eval(ctx, timelineGetLua, keys[:2], "+inf", 1000))
}

func decodeReports(cmd *redis.Cmd) ([]Report, error) {
	var out []Report
	err := eachEntry(cmd, func(text string) error {
		var r Report
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			return err
		}
		out = append(out, r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("crm: read a person's reports: %w", err)
	}
	return out, nil
}

// eachEntry calls f with the text of each "version text" entry that holds one.
func eachEntry(cmd *redis.Cmd, f func(text string) error) error {
	entries, err := texts(cmd)
	if err != nil {
		return err
	}
	for _, e := range entries {
		_, text, ok := strings.Cut(e, " ")
		if !ok || text == "" {
			continue // it was taken off
		}
		if err := f(text); err != nil {
			return err
		}
	}
	return nil
}

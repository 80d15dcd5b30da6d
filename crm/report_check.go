package crm

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"example.org/c3i/contact"
)

// Limits on what may be kept of a report.
const (
	SummaryLimit  = 20_000 // characters
	MOLimit       = 4_000
	PartiesLimit  = 100
	PropertyLimit = 200
	AnswersLimit  = 300
	answerLimit   = 8_000 // characters of one answer
	fieldLimit    = 300   // characters of any short field
	clockSkew     = 5 * contact.Minute
)

var (
	statuses       = []ReportStatus{StatusNew, StatusAssessing, StatusOpen, StatusWaiting, StatusClosed, StatusWithdrawn}
	roles          = []PartyRole{RoleReporter, RoleVictim, RoleWitness, RoleSuspect}
	grades         = []Grade{GradeImmediate, GradeSignificant, GradeExtended, GradeReferred}
	propertyStates = []string{"stolen", "damaged", "lost", "found", "recovered", "returned", "seized"}
	vehicleStates  = []string{"stolen", "damaged", "involved", "recovered"}
	updateWays     = []string{"", "email", "phone", "post", "none"}
	offences       = regexp.MustCompile(`^[0-9]{3}/[0-9]{2}$`)
	vrms           = regexp.MustCompile(`^[A-Z0-9]{1,11}$`)
	vins           = regexp.MustCompile(`^[A-HJ-NPR-Z0-9]{5,17}$`)
)

// MaxOutcome is the highest Home Office outcome type.
const MaxOutcome = 22

// checkReport tidies what a report was given and holds it to the rules.
func checkReport(r *Report, now contact.Instant) error {
	var f faults
	if r.Category == "" {
		r.Category = "other"
	}
	if r.Status == "" {
		r.Status = StatusNew
	}
	if r.Marking == "" {
		r.Marking = "OFFICIAL"
	}
	choice(&f, "status", r.Status, statuses)
	long(&f, "summary", r.Summary, SummaryLimit)
	long(&f, "mo", r.MO, MOLimit)
	for name, text := range map[string]string{
		"category": r.Category, "opening_code": r.Opening, "closing_code": r.Closing, "method": r.Method, "owner": r.Owner,
		"marking": r.Marking, "language": r.Language,
	} {
		long(&f, name, text, fieldLimit)
	}
	if r.Offence != "" && !offences.MatchString(r.Offence) {
		f.add("offence_code", "form", "a Home Office classification is three digits, a slash and two digits, such as 046/00")
	}
	latest := now.Add(clockSkew)
	if r.From > latest {
		f.add("from", "future", "it cannot have happened in the future")
	}
	if r.To > latest {
		f.add("to", "future", "it cannot have ended in the future")
	}
	if r.To != 0 && r.To < r.From {
		f.add("to", "order", "it cannot have ended before it began")
	}
	checkPlace(&f, "place", &r.Place)
	if len(r.Answers) > AnswersLimit {
		f.add("answers", "too_many", "at most %d answers", AnswersLimit)
	}
	for code, text := range r.Answers {
		long(&f, "answers."+code, text, answerLimit)
	}
	checkParties(&f, r)
	checkThings(&f, r)
	if g := r.Retention.Group; g < 0 || g > 4 {
		f.add("retention.group", "choice", "a retention group is 1 to 4")
	}
	if r.Retention.Hold && strings.TrimSpace(r.Retention.HoldReason) == "" {
		f.add("retention.hold_reason", "required", "say why nothing may be disposed of")
	}
	return f.err()
}

func checkParties(f *faults, r *Report) {
	if len(r.Parties) > PartiesLimit {
		f.add("parties", "too_many", "at most %d people", PartiesLimit)
	}
	for i := range r.Parties {
		p, at := &r.Parties[i], fmt.Sprintf("parties[%d]", i)
		p.Name = oneSpaced(p.Name)
		long(f, at+".name", p.Name, NameLimit)
		long(f, at+".description", p.Description, MOLimit)
		long(f, at+".statement", p.Statement, SummaryLimit)
		if len(p.Roles) == 0 {
			f.add(at+".roles", "required", "say what the person is to the report")
		}
		for _, role := range p.Roles {
			choice(f, at+".roles", role, roles)
		}
		if slices.Contains(p.Roles, RoleSuspect) && p.Person == "" && p.Name == "" && strings.TrimSpace(p.Description) == "" {
			f.add(at+".description", "required", "describe a suspect nobody can name")
		}
		choice(f, at+".updates_by", p.UpdatesBy, updateWays)
	}
}

func checkThings(f *faults, r *Report) {
	if len(r.Property)+len(r.Vehicles) > PropertyLimit {
		f.add("property", "too_many", "at most %d things", PropertyLimit)
	}
	seen := map[string]bool{}
	for i := range r.Property {
		p, at := &r.Property[i], fmt.Sprintf("property[%d]", i)
		choice(f, at+".status", p.Status, propertyStates)
		for name, text := range map[string]string{
			"category": p.Category, "description": p.Description, "make": p.Make, "model": p.Model, "colour": p.Colour, "unique_type": p.UniqueType,
		} {
			long(f, at+"."+name, text, fieldLimit)
		}
		if p.ValuePence < 0 {
			f.add(at+".value_pence", "form", "a value is not below nothing")
		}
		p.Unique = strings.ToUpper(strings.Join(strings.Fields(p.Unique), ""))
		long(f, at+".unique", p.Unique, fieldLimit)
		if strings.EqualFold(p.UniqueType, "imei") && p.Unique != "" && !validIMEI(p.Unique) {
			f.add(at+".unique", "form", "an IMEI has 15 digits of which the last checks the others; dial *#06# or look at the box")
		}
		if p.Unique != "" {
			key := p.UniqueType + " " + p.Unique
			if seen[key] {
				f.add(at+".unique", "duplicate", "two things of one report cannot have the same number")
			}
			seen[key] = true
		}
	}
	for i := range r.Vehicles {
		v, at := &r.Vehicles[i], fmt.Sprintf("vehicles[%d]", i)
		choice(f, at+".status", v.Status, vehicleStates)
		v.VRM = strings.ToUpper(strings.Join(strings.Fields(v.VRM), ""))
		if v.VRM != "" && !vrms.MatchString(v.VRM) {
			f.add(at+".vrm", "form", "a registration has up to 11 letters and digits")
		}
		v.VIN = strings.ToUpper(strings.Join(strings.Fields(v.VIN), ""))
		if v.VIN != "" && !vins.MatchString(v.VIN) {
			f.add(at+".vin", "form", "a vehicle identification number has up to 17 letters and digits, without I, O and Q")
		}
	}
}

// validIMEI checks the last of 15 digits (the Luhn formula).
func validIMEI(s string) bool {
	if len(s) != 15 || strings.Trim(s, "0123456789") != "" {
		return false
	}
	sum := 0
	for i := range len(s) {
		d := int(s[i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

func long(f *faults, field, text string, limit int) {
	if n := utf8.RuneCountInString(text); n > limit {
		f.add(field, "too_long", "at most %d characters, this has %d", limit, n)
	}
}

func choice[T ~string](f *faults, field string, value T, of []T) {
	if !slices.Contains(of, value) {
		f.add(field, "choice", "choose one of %s", strings.TrimPrefix(strings.Join(asTexts(of), ", "), ", "))
	}
}

func asTexts[T ~string](of []T) []string {
	out := make([]string, len(of))
	for i, v := range of {
		out[i] = string(v)
	}
	return out
}

package crm

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/alexedwards/argon2id"
	"github.com/redis/go-redis/v9"

	"example.org/c3i/crm/audit"
	"example.org/c3i/crm/ref"
)

// hashing is what a guess costs: 19 MiB and two passes on one thread, about 20 ms.
var hashing = &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// hashesAtOnce bounds the memory that guesses take.
const hashesAtOnce = 4

// secretLead is how many of a secret's letters choose which hash it is held
// against, so that every guess costs exactly one comparison whoever has secrets.
const secretLead = 2

// secretLength is how many letters a secret has.
const secretLength = 12

// nobody is held against a guess that no hash is kept for.
var nobody = "$argon2id$v=19$m=19456,t=2,p=1$c29tZSBzYWx0IG9mIG91cg$" + strings.Repeat("A", 43)

// NewTrackingSecret makes the secret with which one party of a report follows it,
// and forgets the party's old one. Only a hash is kept: it cannot be shown again.
func (s *Store) NewTrackingSecret(ctx context.Context, id ReportID, partyIndex int) (string, error) {
	for range attempts {
		secret, err := ref.Secret(rand.Reader)
		if err != nil {
			return "", err
		}
		if err = s.SetTrackingSecret(ctx, id, partyIndex, secret); err == nil {
			return secret, nil
		}
		if !errors.Is(err, ErrConflict) {
			return "", err
		}
	}
	return "", errors.New("crm: no free tracking secret was found")
}

// SetTrackingSecret is NewTrackingSecret with a secret of [ref.Secret] that was
// shown to the party before the report was recorded. It may be repeated. Another
// party's secret that begins alike is an ErrConflict.
func (s *Store) SetTrackingSecret(ctx context.Context, id ReportID, partyIndex int, secret string) error {
	d, err := s.report(ctx, id)
	if err != nil {
		return err
	}
	if partyIndex < 0 || partyIndex >= len(d.Parties) {
		return &FieldError{"party", "unknown", "the report has no such party"}
	}
	party := d.Parties[partyIndex]
	if slices.Contains(party.Roles, RoleSuspect) {
		return &FieldError{"party", "choice", "suspects do not follow a report"}
	}
	plain := ref.Plain(secret)
	if len(plain) < secretLength {
		return &FieldError{"secret", "form", "a secret has twelve letters"}
	}
	hash, err := s.hashSecret(ctx, plain)
	if err != nil {
		return err
	}
	e := aboutReport(audit.Alter, d.Report, "")
	e.Fields = []string{"tracking_secret"}
	err = s.write(ctx, owed{Kind: "report", ID: string(id), Entry: &e}, func() error {
		kept, err := s.eval(ctx, secretPutLua, []string{trackKey(id)}, plain[:secretLead], party.ID, hash).Int()
		if err == nil && kept == 0 {
			err = ErrConflict
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("crm: keep a tracking secret: %w", err)
	}
	return nil
}

func (s *Store) hashSecret(ctx context.Context, plain string) (string, error) {
	if err := s.hashSlot(ctx); err != nil {
		return "", err
	}
	defer func() { <-s.hashes }()
	return argon2id.CreateHash(plain, hashing)
}

func (s *Store) hashSlot(ctx context.Context) error {
	select {
	case s.hashes <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Track opens a report for the party whose secret it is, and returns what that
// party may see (see Report.ForParty) and which party they are. Whatever is wrong
// — the reference, the secret, a party that was taken off — the answer is
// ErrNotFound and takes one comparison. How often somebody may guess is the
// caller's to bound.
func (s *Store) Track(ctx context.Context, reference, secret string) (Report, int, error) {
	none := fmt.Errorf("tracking: %w", ErrNotFound)
	id, err := s.lookUp(ctx, reference)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Report{}, -1, err
	}
	plain := ref.Plain(secret)
	lead := plain[:min(len(plain), secretLead)]
	var doc, kept *redis.StringCmd
	_, err = s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		doc, kept = p.HGet(ctx, reportKey(id), "doc"), p.HGet(ctx, trackKey(id), lead)
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return Report{}, -1, fmt.Errorf("crm: track: %w", err)
	}
	party, hash, ok := strings.Cut(kept.Val(), " ")
	if !ok || doc.Err() != nil {
		hash = nobody
	}
	if err := s.hashSlot(ctx); err != nil {
		return Report{}, -1, err
	}
	same, err := argon2id.ComparePasswordAndHash(plain, hash)
	<-s.hashes
	if err != nil || !same || !ok || doc.Err() != nil {
		return Report{}, -1, none
	}
	d, err := decodeReport(id, doc.Val())
	if err != nil {
		return Report{}, -1, err
	}
	return s.follow(ctx, d.Report, party)
}

// Followed is Track for a party that proved itself before: a report read again for
// the party of an id. A party that was taken off, or that has become a suspect, is
// ErrNotFound. What is restricted is so for others, not for its parties.
func (s *Store) Followed(ctx context.Context, id ReportID, party string) (Report, int, error) {
	d, err := s.report(ctx, id)
	if err != nil {
		return Report{}, -1, err
	}
	return s.follow(ctx, d.Report, party)
}

func (s *Store) follow(ctx context.Context, r Report, party string) (Report, int, error) {
	index := slices.IndexFunc(r.Parties, func(p Party) bool { return p.ID == party && party != "" })
	if index < 0 || slices.Contains(r.Parties[index].Roles, RoleSuspect) {
		return Report{}, -1, fmt.Errorf("tracking: %w", ErrNotFound)
	}
	e := aboutReport(audit.Disclose, r, "")
	e.Recipient, e.Purpose = "party:"+party, "tracking"
	if err := s.seen(ctx, e); err != nil {
		return Report{}, -1, err
	}
	return r.ForParty(index), index, nil
}

// ForParty is what one party may see of a report: numbers, status, what is told
// to their roles, and their own part. Parties keep their places, the others
// emptied. The narrative, property and files are the reporter's and the victim's,
// never a witness's. Its Version is zero, so that it cannot be saved in the place
// of the whole: see SaveParty.
func (r Report) ForParty(index int) Report {
	me := r.Parties[index]
	out := Report{
		ID: r.ID, Kind: r.Kind, Created: r.Created, Changed: r.Changed, Reference: r.Reference, IncidentNumber: r.IncidentNumber,
		CrimeNumber: r.CrimeNumber, Status: r.Status, Channel: r.Channel, Category: r.Category, Outcome: r.Outcome, Language: r.Language,
		Parties: make([]Party, len(r.Parties)),
	}
	out.Parties[index] = me
	if slices.Contains(me.Roles, RoleVictim) || slices.Contains(me.Roles, RoleReporter) {
		out.Summary, out.From, out.To, out.Exact, out.Place = r.Summary, r.From, r.To, r.Exact, r.Place
		out.Property, out.Vehicles = r.Property, r.Vehicles
	}
	for _, u := range r.Updates {
		if len(u.For) == 0 || slices.ContainsFunc(u.For, func(role PartyRole) bool { return slices.Contains(me.Roles, role) }) {
			u.By = ""
			out.Updates = append(out.Updates, u)
		}
	}
	return out
}

// SaveParty saves what a party may change of their own part: statement, wishes
// and preferences, and whether they withdrew. Name, person and roles stay. It
// needs no version: nobody else changes these fields but a handler who sees them.
func (s *Store) SaveParty(ctx context.Context, id ReportID, partyIndex int, p Party) (Report, error) {
	saved, err := s.changeAs(ctx, id, true, func(d *reportDocument, a *agenda) error {
		i := slices.IndexFunc(d.Parties, func(q Party) bool { return q.ID == p.ID })
		if p.ID == "" {
			i = partyIndex
		}
		if i < 0 || i >= len(d.Parties) {
			return &FieldError{"party", "unknown", "the report has no such party"}
		}
		was := &d.Parties[i]
		was.Statement, was.WantsSupport, was.ConsentContact, was.UpdatesBy = p.Statement, p.WantsSupport, p.ConsentContact, p.UpdatesBy
		if was.WithdrawnAt == 0 && p.WithdrawnAt != 0 {
			was.WithdrawnAt = a.now
			a.due(TaskReview, "withdrawn."+was.ID, "Somebody withdrew from this report: see what that means for it.", d.Owner, a.now.Add(s.clocks.Record))
		}
		if err := checkReport(&d.Report, a.now); err != nil {
			return err
		}
		people, err := s.partyPeople(ctx, &d.Report)
		if err != nil {
			return err
		}
		s.victimTasks(&d.Report, a, people)
		return nil
	})
	if err != nil {
		return Report{}, err
	}
	return saved.ForParty(slices.IndexFunc(saved.Parties, func(q Party) bool { return q.ID == p.ID || p.ID == "" && q.ID == saved.Parties[partyIndex].ID })), nil
}

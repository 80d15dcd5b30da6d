package web

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/audit"
	"example.org/c3i/crm/ref"
	"example.org/c3i/edge"
	"example.org/c3i/intake/web/form"
)

// tracking is what the cookie of somebody who follows a report opens: one party's
// view of one report, or a one-time code that is awaited.
type tracking struct {
	Report    crm.ReportID `json:"report,omitempty"`
	Reference string       `json:"reference,omitempty"`
	// Party is the party's id: parties may change places.
	Party string `json:"party,omitempty"`
	// Notice is the key of what the next page says was done.
	Notice string `json:"notice,omitempty"`
	// Code is the one-time code awaited, Tries how often another was entered, Mark
	// the name under which is kept whom it is for, if for anybody.
	Code  string    `json:"code,omitempty"`
	Tries int       `json:"tries,omitempty"`
	Mark  string    `json:"mark,omitempty"`
	Until time.Time `json:"until,omitempty"`
}

// trackLife is how long a report stays open, codeLife how long a code is good,
// codeTries how many may be entered.
const (
	trackLife = 20 * time.Minute
	codeLife  = 15 * time.Minute
	codeTries = 5
)

// trackView is what a party sees of a report.
type trackView struct {
	Reference, Number, NumberLabel, About string
	Received                              time.Time
	Status, Meaning, Next                 string
	Updates                               []updateView
	Statement                             string
	Ways                                  []optionView
	MayWithdraw                           bool
	Notice, Typed, Key                    string
	AddOpen                               bool
}

type updateView struct {
	At   time.Time
	Text string
}

func (s *Server) trackPage(w http.ResponseWriter, r *http.Request) error {
	return s.render(w, http.StatusOK, "track", s.page(r, "track_title"))
}

// evenly makes everything that ends a sign-in take the same time, so that the
// time tells nothing about what was wrong.
func (s *Server) evenly(ctx context.Context, began time.Time) {
	t := time.NewTimer(time.Until(began.Add(s.o.Even)))
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// trackSignIn opens a report by reference and secret. Whatever is wrong, the
// answer is the same page after the same time; too many wrong ones are not even
// looked at for a while.
func (s *Server) trackSignIn(w http.ResponseWriter, r *http.Request) error {
	began := time.Now()
	if err := posted(w, r); err != nil {
		return err
	}
	reference, secret := ref.Plain(r.PostForm.Get("reference")), ref.Plain(r.PostForm.Get("secret"))
	report, party, err := s.tryTrack(r, reference, secret)
	s.evenly(r.Context(), began)
	if errors.Is(err, crm.ErrNotFound) {
		s.metrics.follow.WithLabelValues("refused").Inc()
		p := s.page(r, "track_title")
		p.At = "/track"
		p.Problems = []problemView{{"f-reference", p.T("track_wrong")}}
		return s.render(w, http.StatusUnprocessableEntity, "track", p)
	}
	if err != nil {
		return err
	}
	return s.openTrack(w, r, report, party)
}

func (s *Server) tryTrack(r *http.Request, reference, secret string) (crm.Report, int, error) {
	ctx := audit.With(r.Context(), audit.Public)
	for _, m := range []struct {
		limit
		who string
	}{{wrongHere, s.remote(r)}, {wrongThere, reference}} {
		wait, err := s.limits.look(ctx, m.limit, m.who)
		if err != nil {
			return crm.Report{}, 0, err
		}
		if wait > 0 {
			return crm.Report{}, 0, crm.ErrNotFound
		}
	}
	err := crm.ErrNotFound
	var report crm.Report
	var party int
	if len(reference) <= 40 && len(secret) <= 40 && reference != "" && secret != "" {
		report, party, err = s.o.Records.Track(ctx, reference, secret)
	}
	if err == nil && (party < 0 || party >= len(report.Parties)) {
		err = crm.ErrNotFound
	}
	if errors.Is(err, crm.ErrNotFound) {
		_, e1 := s.limits.take(ctx, wrongHere, s.remote(r))
		_, e2 := s.limits.take(ctx, wrongThere, reference)
		if e := errors.Join(e1, e2); e != nil {
			return report, 0, e
		}
		err = crm.ErrNotFound
	}
	return report, party, err
}

func (s *Server) openTrack(w http.ResponseWriter, r *http.Request, report crm.Report, party int) error {
	t := newToken()
	v := tracking{Report: report.ID, Reference: report.Reference, Party: report.Parties[party].ID}
	if _, err := s.tracks.put(r.Context(), t, 0, v, trackLife); err != nil {
		return err
	}
	s.setCookie(w, trackCookie, "/track", string(t), 0)
	s.metrics.follow.WithLabelValues("opened").Inc()
	return redirect(w, "/track/report")
}

// partyOf is the place of a party in a report, -1 when it is not there.
func partyOf(report crm.Report, id string) int {
	return slices.IndexFunc(report.Parties, func(p crm.Party) bool { return p.ID == id && id != "" })
}

// tracked is the request's open report, as the party may see it, and the party.
func (s *Server) tracked(r *http.Request) (tracking, crm.Report, crm.Party, error) {
	v, _, err := s.tracks.get(r.Context(), cookieToken(r, trackCookie))
	if err == nil && v.Report == "" {
		err = errGone
	}
	if err != nil {
		return v, crm.Report{}, crm.Party{}, err
	}
	report, i, err := s.o.Records.Followed(audit.With(r.Context(), audit.Public), v.Report, v.Party)
	if errors.Is(err, crm.ErrNotFound) {
		err = errGone // disposed of, or the party was taken off
	}
	if err != nil {
		return v, crm.Report{}, crm.Party{}, err
	}
	return v, report, report.Parties[i], nil
}

func (s *Server) follow(w http.ResponseWriter, r *http.Request) error {
	v, report, me, err := s.tracked(r)
	if errors.Is(err, errGone) {
		return redirect(w, "/track")
	}
	if err != nil {
		return err
	}
	p := s.followPage(r, report, me)
	if v.Notice != "" {
		p.Track.Notice = p.T(v.Notice)
		if err := s.note(r, ""); err != nil {
			return err
		}
	}
	return s.render(w, http.StatusOK, "follow", p)
}

func (s *Server) note(r *http.Request, notice string) error {
	_, err := s.tracks.update(r.Context(), cookieToken(r, trackCookie), func(tracking) time.Duration { return trackLife }, func(v *tracking) error {
		v.Notice = notice
		return nil
	})
	return err
}

// publicStatuses are the statuses that have words of their own.
var publicStatuses = []crm.ReportStatus{crm.StatusNew, crm.StatusAssessing, crm.StatusOpen, crm.StatusWaiting, crm.StatusClosed, crm.StatusWithdrawn}

// ways are how somebody may want to hear from us.
var ways = []string{"email", "phone", "post", "none"}

// followPage is what a party sees: the state of the report in plain words and
// what was said to them. A witness sees no number of the crime and nothing that
// others said or that was said to others.
func (s *Server) followPage(r *http.Request, report crm.Report, me crm.Party) *page {
	p := s.page(r, "follow_title")
	p.At = "/track/report"
	status := report.Status
	if !me.WithdrawnAt.IsZero() {
		status = crm.StatusWithdrawn
	}
	if !slices.Contains(publicStatuses, status) {
		status = crm.StatusOpen
	}
	t := &trackView{
		Reference: report.Reference, Received: report.Created.Time(), Key: s.o.IDs.New(),
		Status: p.T("status_" + string(status)), Meaning: p.T("status_" + string(status) + "_means"), Next: p.T("status_" + string(status) + "_next"),
		MayWithdraw: me.WithdrawnAt.IsZero() && status != crm.StatusClosed,
		Statement:   me.Statement,
	}
	involved := slices.ContainsFunc(me.Roles, func(role crm.PartyRole) bool { return role == crm.RoleReporter || role == crm.RoleVictim })
	if involved {
		switch {
		case report.CrimeNumber != "":
			t.Number, t.NumberLabel = report.CrimeNumber, p.T("follow_crime")
		case report.IncidentNumber != "":
			t.Number, t.NumberLabel = report.IncidentNumber, p.T("follow_incident")
		}
		t.About = p.Lang.Option("category", publicCategory(report.Category))
	}
	for _, u := range slices.Backward(report.Updates) {
		t.Updates = append(t.Updates, updateView{u.At.Time(), u.Text})
	}
	for _, way := range ways {
		t.Ways = append(t.Ways, optionView{Value: way, Text: p.T("way_" + way), Chosen: me.UpdatesBy == way})
	}
	p.Track = t
	return p
}

// publicCategory is the form's choice that a category came from.
func publicCategory(category string) string {
	switch category {
	case "lost_property", "found_property":
		return "property"
	}
	return category
}

// noteMost bounds what may be added, in characters.
const noteMost = 4000

// add takes more information or files about the report.
func (s *Server) add(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, s.o.FileMost*int64(s.o.FilesMost)+1<<20)
	v, report, me, err := s.tracked(r)
	if err != nil {
		return err
	}
	edge.ForFiles(r)
	var files []File
	var bad []string
	fields, err := s.readFiles(r, 0, func(f File) { files = append(files, f) }, func(name string, e error) {
		bad = append(bad, s.languageOf(r).Text(e.Error(), "name", name, "most", fmt.Sprint(s.o.FileMost>>20), "number", fmt.Sprint(s.o.FilesMost)))
	})
	defer func() {
		for _, f := range files {
			s.dropFile(r.Context(), f)
		}
	}()
	if err != nil {
		return err
	}
	text := form.Clean(fields.Get("text"), true)
	if len([]rune(text)) > noteMost {
		bad = append(bad, s.languageOf(r).Text("add_long", "most", fmt.Sprint(noteMost)))
	}
	if text == "" && len(files) == 0 && len(bad) == 0 {
		bad = append(bad, s.languageOf(r).Text("add_missing"))
	}
	if len(bad) > 0 {
		p := s.followPage(r, report, me)
		for _, b := range bad {
			p.Problems = append(p.Problems, problemView{"f-text", b})
		}
		p.Track.AddOpen, p.Track.Typed = true, text
		return s.render(w, http.StatusUnprocessableEntity, "follow", p)
	}
	attachments, err := s.attachments(r.Context(), files)
	if err != nil {
		return err
	}
	if err := s.acceptFrom(r, v, kindAdd, fields.Get("key"), text, attachments); err != nil {
		return err
	}
	s.metrics.follow.WithLabelValues("added").Inc()
	if err := s.note(r, "added"); err != nil {
		return err
	}
	return redirect(w, "/track/report")
}

// acceptFrom accepts something from a party. The key of the page makes a double
// click harmless.
func (s *Server) acceptFrom(r *http.Request, v tracking, k kind, key, text string, attachments []crm.Attachment) error {
	if err := s.limited(r, sendLimit, s.remote(r)); err != nil {
		return err
	}
	own := s.derived(v.Report, fmt.Sprintf("%s %s %s", k, v.Party, key))
	return s.accept(r.Context(), "web:"+string(v.Report)+":"+own, submission{
		Kind: k, IDs: ids{Report: v.Report, Reference: v.Reference}, Party: v.Party, Contact: contact.ID(own), Message: crm.MessageID(own),
		Language: s.languageOf(r).Code, Text: text, Attachments: attachments,
	})
}

// prefer changes how a party wants to hear from us.
func (s *Server) prefer(w http.ResponseWriter, r *http.Request) error {
	if err := posted(w, r); err != nil {
		return err
	}
	v, report, me, err := s.tracked(r)
	if err != nil {
		return err
	}
	way := r.PostForm.Get("updates")
	if !slices.Contains(ways, way) {
		return redirect(w, "/track/report")
	}
	me.UpdatesBy = way
	if _, err := s.o.Records.SaveParty(audit.With(r.Context(), audit.Public), v.Report, partyOf(report, v.Party), me); err != nil {
		return err
	}
	s.metrics.follow.WithLabelValues("preferred").Inc()
	if err := s.note(r, "preferred"); err != nil {
		return err
	}
	return redirect(w, "/track/report")
}

// withdraw tells handlers that a party does not wish to go on.
func (s *Server) withdraw(w http.ResponseWriter, r *http.Request) error {
	if err := posted(w, r); err != nil {
		return err
	}
	v, _, _, err := s.tracked(r)
	if err != nil {
		return err
	}
	text := form.Clean(r.PostForm.Get("text"), true)
	if runes := []rune(text); len(runes) > noteMost {
		text = string(runes[:noteMost])
	}
	if err := s.acceptFrom(r, v, kindWithdraw, "", text, nil); err != nil {
		return err
	}
	s.metrics.follow.WithLabelValues("withdrawn").Inc()
	if err := s.note(r, "withdrawn"); err != nil {
		return err
	}
	return redirect(w, "/track/report")
}

// leave closes the report in this browser.
func (s *Server) leave(w http.ResponseWriter, r *http.Request) error {
	if err := s.tracks.drop(r.Context(), cookieToken(r, trackCookie)); err != nil {
		return err
	}
	s.setCookie(w, trackCookie, "/track", "", -time.Second)
	return redirect(w, "/track")
}

func (s *Server) codePage(w http.ResponseWriter, r *http.Request) error {
	if s.o.Mail == nil {
		return &refusal{status: http.StatusNotFound, page: "absent"}
	}
	p := s.page(r, "code_title")
	p.Back = "/track"
	return s.render(w, http.StatusOK, "code", p)
}

// codeAsk answers the same page whatever was entered. Whether a code goes out is
// found afterwards, out of sight.
func (s *Server) codeAsk(w http.ResponseWriter, r *http.Request) error {
	if s.o.Mail == nil {
		return &refusal{status: http.StatusNotFound, page: "absent"}
	}
	began := time.Now()
	if err := posted(w, r); err != nil {
		return err
	}
	reference := ref.Plain(r.PostForm.Get("reference"))
	email := strings.ToLower(form.Clean(r.PostForm.Get("email"), false))
	n, err := rand.Int(rand.Reader, big.NewInt(1e8))
	if err != nil {
		return err
	}
	t := newToken()
	v := tracking{Code: fmt.Sprintf("%08d", n), Mark: rand.Text(), Until: s.now().Add(codeLife)}
	if _, err := s.tracks.put(r.Context(), t, 0, v, codeLife); err != nil {
		return err
	}
	allowed := true
	for _, m := range []struct {
		limit
		who string
	}{{codeHere, s.remote(r)}, {codeThere, reference}} {
		wait, err := s.limits.take(r.Context(), m.limit, m.who)
		if err != nil {
			return err
		}
		allowed = allowed && wait == 0
	}
	if allowed && len(reference) <= 40 && len(email) <= 120 && reference != "" && email != "" {
		l := s.languageOf(r)
		ctx := context.WithoutCancel(r.Context())
		s.later(func() {
			if err := s.sendCode(ctx, l, reference, email, v); err != nil {
				s.o.Log.Error().Err(err).Msg("a one-time code could not be sent")
			}
		})
	}
	s.metrics.follow.WithLabelValues("code_asked").Inc()
	s.setCookie(w, trackCookie, "/track", string(t), 0)
	s.evenly(r.Context(), began)
	p := s.page(r, "code_sent_title")
	p.Back = "/track/code"
	return s.render(w, http.StatusOK, "code_enter", p)
}

// sendCode sends a code if the address is on file for a party of the report and
// writing there puts nobody at risk.
func (s *Server) sendCode(ctx context.Context, l *form.Language, reference, email string, v tracking) error {
	as := audit.Public
	as.Reason = "To send a one-time code to an address on file."
	ctx, cancel := context.WithTimeout(audit.With(ctx, as), 20*time.Second)
	defer cancel()
	report, err := s.o.Records.ReportByReference(ctx, reference)
	if errors.Is(err, crm.ErrNotFound) || err == nil && report.Reference != "" && ref.Plain(report.Reference) != reference {
		return nil // a crime number is no secret; only the receipt's reference will do
	}
	if err != nil {
		return err
	}
	for _, party := range report.Parties {
		if party.Person == "" || slices.Contains(party.Roles, crm.RoleSuspect) {
			continue
		}
		person, err := s.o.Records.Person(ctx, party.Person)
		if errors.Is(err, crm.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if !slices.Contains(person.Emails, email) || !safeToMail(person, email) {
			continue
		}
		if err := s.o.Redis.Set(ctx, s.codeKey(v.Mark), party.ID+" "+string(report.ID), codeLife).Err(); err != nil {
			return err
		}
		_, err = s.o.Mail.Send(ctx, Mail{
			Report: report.ID, To: crm.Mailbox{Address: email}, Language: l.Code, Template: "code",
			Subject: l.Text("code_mail_subject", "service", s.o.Service), Text: l.Text("code_mail", "code", v.Code),
			Key: "web-code:" + v.Mark,
		})
		return err
	}
	return nil
}

func safeToMail(p crm.Person, email string) bool {
	switch {
	case p.Safe.Rule == "never", slices.Contains(p.Safe.UnsafeEmails, email):
		return false
	case p.Safe.Rule == "limited":
		return slices.Contains(p.Safe.Methods, "email")
	}
	return true
}

func (s *Server) codeKey(mark string) string {
	return "{web:code:" + s.limits.hash("code", mark) + "}"
}

// codeEnter opens the report that a one-time code is for.
func (s *Server) codeEnter(w http.ResponseWriter, r *http.Request) error {
	began := time.Now()
	if err := posted(w, r); err != nil {
		return err
	}
	entered := strings.Map(func(c rune) rune {
		if c < '0' || c > '9' {
			return -1
		}
		return c
	}, r.PostForm.Get("code"))
	t := cookieToken(r, trackCookie)
	right := false
	v, err := s.tracks.update(r.Context(), t, func(tracking) time.Duration { return codeLife }, func(v *tracking) error {
		if v.Code == "" || s.now().After(v.Until) {
			return errGone
		}
		v.Tries++
		right = v.Tries <= codeTries && subtle.ConstantTimeCompare([]byte(entered), []byte(v.Code)) == 1
		return nil
	})
	if errors.Is(err, errGone) {
		return redirect(w, "/track/code")
	}
	if err != nil {
		return err
	}
	if right {
		held, err := s.o.Redis.GetDel(r.Context(), s.codeKey(v.Mark)).Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
		// By the party's id: parties may have changed places since the code was sent.
		party, id, _ := strings.Cut(held, " ")
		report, at, err := s.o.Records.Followed(audit.With(r.Context(), audit.Public), crm.ReportID(id), party)
		if err != nil && !errors.Is(err, crm.ErrNotFound) {
			return err
		}
		if err == nil {
			if err := s.tracks.drop(r.Context(), t); err != nil {
				return err
			}
			s.evenly(r.Context(), began)
			return s.openTrack(w, r, report, at)
		}
	}
	s.evenly(r.Context(), began)
	s.metrics.follow.WithLabelValues("refused").Inc()
	p := s.page(r, "code_sent_title")
	p.Back = "/track/code"
	p.Problems = []problemView{{"f-code", p.T("code_wrong")}}
	return s.render(w, http.StatusUnprocessableEntity, "code_enter", p)
}

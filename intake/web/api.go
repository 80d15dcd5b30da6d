package web

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"example.org/c3i/crm"
	"example.org/c3i/crm/audit"
	"example.org/c3i/crm/blob"
	"example.org/c3i/crm/ref"
	"example.org/c3i/edge"
	"example.org/c3i/intake/web/form"
)

// Scheme begins the Authorization header of a signed request.
const Scheme = "C3I-HMAC-SHA256"

// signedFor is how far the time of a request may be from ours, and how long its
// nonce is remembered on each side of it.
const signedFor = 5 * time.Minute

// apiMost bounds a request's body, files included (base64).
const apiMost = 16 << 20

// keptFor is how long an idempotency key is remembered.
const keptFor = 7 * 24 * time.Hour

// Sign gives the Authorization header of a request: the key, the time, a nonce
// used once, and the HMAC of method, path, time, nonce and the body's SHA-256.
func Sign(key, secret, method, path string, at time.Time, nonce string, body []byte) string {
	unix := strconv.FormatInt(at.Unix(), 10)
	return fmt.Sprintf("%s key=%s, time=%s, nonce=%s, signature=%s", Scheme, key, unix, nonce, signature(secret, method, path, unix, nonce, body))
}

func signature(secret, method, path, unix, nonce string, body []byte) string {
	sum := sha256.Sum256(body)
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%s\n%s\n%s\n%s\n%s", method, path, unix, nonce, hex.EncodeToString(sum[:]))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Problem is an error of the API (RFC 9457).
type Problem struct {
	Type   string `json:"type" jsonschema:"format=uri-reference,example=/api/problems/invalid" jsonschema_description:"Stable name of the kind of problem."`
	Title  string `json:"title" jsonschema:"example=Some fields cannot be used"`
	Status int    `json:"status" jsonschema:"example=422"`
	Detail string `json:"detail,omitempty"`
	// Errors names each field that was refused.
	Errors []FieldProblem `json:"errors,omitempty"`
}

// FieldProblem is one field that was refused.
type FieldProblem struct {
	Pointer string `json:"pointer" jsonschema:"example=/answers/category" jsonschema_description:"JSON pointer (RFC 6901) to the field in the request's body."`
	Code    string `json:"code" jsonschema:"example=choose" jsonschema_description:"missing, choose, too_long, invalid, future, born, order, one_of, none_too, unknown, unreached, stop."`
	Detail  string `json:"detail"`
}

// NewReport is what a partner sends to make a report.
type NewReport struct {
	Language string `json:"language,omitempty" jsonschema:"example=en" jsonschema_description:"Language the answers are written in: one of the form's. The form's first if empty."`
	// Answers are given by field, as the public form asks them.
	Answers map[string]string `json:"answers" jsonschema_description:"Answers by field of the public form. Choices by their name, several joined by commas; dates YYYY-MM-DD; times HH:MM; amounts in pounds such as 120.50. Every page that the answers lead to must be answered."`
	Items   []Item            `json:"items,omitempty" jsonschema:"maxItems=20" jsonschema_description:"Things stolen, lost or found."`
	Files   []NewFile         `json:"files,omitempty" jsonschema:"maxItems=10"`
	// External is what the partner calls the report.
	External string `json:"external_reference,omitempty" jsonschema:"maxLength=100,example=PORTAL-2026-0017"`
}

// Item is one thing stolen, lost or found: the fields of the form's page about it.
type Item map[string]string

// NewFile is a file of a report.
type NewFile struct {
	Name    string `json:"name" jsonschema:"maxLength=200,example=broken-window.jpg"`
	Content string `json:"content" jsonschema:"contentEncoding=base64" jsonschema_description:"The file in base64. Photographs, videos, PDF and text are taken, by content."`
}

// Made answers a report that was accepted.
type Made struct {
	Reference string `json:"reference" jsonschema:"example=BCDF-GHJK-M" jsonschema_description:"For the reporter, and for the address of the report."`
	Secret    string `json:"secret" jsonschema_description:"For the reporter only: with it they follow the report at /track. Do not keep it."`
	Status    string `json:"status" jsonschema:"enum=received"`
}

// State is where a report stands.
type State struct {
	Reference  string   `json:"reference"`
	External   string   `json:"external_reference,omitempty"`
	Status     string   `json:"status" jsonschema:"enum=received,enum=new,enum=assessing,enum=open,enum=waiting,enum=closed,enum=withdrawn" jsonschema_description:"received: accepted, and not yet filed."`
	Incident   string   `json:"incident_number,omitempty"`
	Crime      string   `json:"crime_number,omitempty"`
	Received   string   `json:"received,omitempty" jsonschema:"format=date-time"`
	Changed    string   `json:"changed,omitempty" jsonschema:"format=date-time"`
	Updates    []Update `json:"updates,omitempty" jsonschema_description:"What was said to everybody who follows the report, oldest first."`
	TrackingAt string   `json:"tracking" jsonschema:"format=uri-reference,example=/track"`
}

// Update is something that was said to those who follow a report.
type Update struct {
	At   string `json:"at" jsonschema:"format=date-time"`
	Text string `json:"text"`
}

// MoreInformation is what a partner adds to a report.
type MoreInformation struct {
	Text     string    `json:"text" jsonschema:"maxLength=4000"`
	Files    []NewFile `json:"files,omitempty" jsonschema:"maxItems=10"`
	Language string    `json:"language,omitempty"`
}

// Added answers information that was accepted.
type Added struct {
	Status string `json:"status" jsonschema:"enum=received"`
}

// problems are the kinds of problem by name: status and title.
var problems = map[string]struct {
	status int
	title  string
}{
	"unauthorised": {http.StatusUnauthorized, "The request is not signed by a key that may do this"},
	"malformed":    {http.StatusBadRequest, "The body is not the JSON that was expected"},
	"key-missing":  {http.StatusBadRequest, "The header Idempotency-Key is needed"},
	"key-reused":   {http.StatusUnprocessableEntity, "The Idempotency-Key was used for another request"},
	"invalid":      {http.StatusUnprocessableEntity, "Some fields cannot be used"},
	"not-found":    {http.StatusNotFound, "There is no such report of yours"},
	"not-here":     {http.StatusNotFound, "There is nothing at this address"},
	"method":       {http.StatusMethodNotAllowed, "This address does not take that method"},
	"too-large":    {http.StatusRequestEntityTooLarge, "The body is too large"},
	"too-slow":     {http.StatusRequestTimeout, "The body came in too slowly"},
	"too-often":    {http.StatusTooManyRequests, "Too many requests"},
	"unavailable":  {http.StatusServiceUnavailable, "Something went wrong on our side; try again"},
}

// apiError is a problem as an error.
type apiError struct {
	kind   string
	detail string
	fields []FieldProblem
	wait   time.Duration
	err    error
}

func (e *apiError) Error() string { return "web: api: " + e.kind + ": " + e.detail }

func (e *apiError) Unwrap() error { return e.err }

func (s *Server) api() http.Handler {
	mux := http.NewServeMux()
	op := func(pattern, name string, h func(context.Context, Partner, *http.Request, []byte) (int, any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			status, body, err := s.call(w, r, h)
			if err != nil {
				status = s.writeProblem(w, r, err)
			} else {
				writeJSON(w, status, "application/json", body)
			}
			s.metrics.api.WithLabelValues(name, strconv.Itoa(status)).Inc()
		})
	}
	op("POST /api/v1/reports", "create", s.apiCreate)
	op("GET /api/v1/reports/{reference}", "read", s.apiRead)
	op("POST /api/v1/reports/{reference}/information", "add", s.apiAdd)
	mux.HandleFunc("GET /api/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(s.spec)
	})
	for path, allow := range map[string]string{"/api/v1/reports": "POST", "/api/v1/reports/{reference}": "GET, HEAD", "/api/v1/reports/{reference}/information": "POST", "/api/openapi.json": "GET, HEAD"} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", allow)
			s.writeProblem(w, r, &apiError{kind: "method", detail: "It takes " + allow + "."})
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.writeProblem(w, r, &apiError{kind: "not-here"}) })
	return mux
}

func writeJSON(w http.ResponseWriter, status int, kind string, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n'))
}

func (s *Server) writeProblem(w http.ResponseWriter, r *http.Request, err error) int {
	var e *apiError
	if !errors.As(err, &e) {
		e = &apiError{kind: "unavailable", err: err}
	}
	if e.kind == "unavailable" {
		s.o.Log.Error().Err(err).Str("route", r.Pattern).Msg("request failed")
	}
	if e.wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(e.wait.Seconds())+1))
	}
	if e.kind == "unauthorised" {
		w.Header().Set("WWW-Authenticate", Scheme)
	}
	p := problems[e.kind]
	writeJSON(w, p.status, "application/problem+json", Problem{Type: "/api/problems/" + e.kind, Title: p.title, Status: p.status, Detail: e.detail, Errors: e.fields})
	return p.status
}

// call reads and authenticates a request and runs its operation.
func (s *Server) call(w http.ResponseWriter, r *http.Request, h func(context.Context, Partner, *http.Request, []byte) (int, any, error)) (int, any, error) {
	// Nothing is read of who has no key, or signs wrongly again and again.
	c, err := s.claim(r)
	if err != nil {
		return 0, nil, err
	}
	if wait, err := s.limits.look(r.Context(), unsigned, s.remote(r)); err != nil || wait > 0 {
		return 0, nil, tooOften(wait, err)
	}
	if r.ContentLength > apiMost {
		return 0, nil, tooLarge()
	}
	edge.ForFiles(r)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, apiMost))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return 0, nil, tooLarge()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return 0, nil, &apiError{kind: "too-slow"}
	case err != nil:
		return 0, nil, &apiError{kind: "malformed", detail: "It ends too early."}
	}
	if err := s.authenticate(r, c, body); err != nil {
		return 0, nil, err
	}
	p := c.partner
	if wait, err := s.limits.take(r.Context(), limit{"partner", 120, 500 * time.Millisecond}, p.Name); err != nil || wait > 0 {
		return 0, nil, tooOften(wait, err)
	}
	ctx := audit.With(r.Context(), audit.Actor{ID: "partner:" + p.Name, Role: "partner"})
	return h(ctx, p, r, body)
}

func tooLarge() error {
	return &apiError{kind: "too-large", detail: fmt.Sprintf("At most %d bytes.", apiMost)}
}

func tooOften(wait time.Duration, err error) error {
	if err != nil {
		return err
	}
	return &apiError{kind: "too-often", wait: wait}
}

func unauthorised(detail string) error { return &apiError{kind: "unauthorised", detail: detail} }

// wrongKey is said of a key nobody has and of a signature that is not right.
const wrongKey = "The key or the signature is wrong."

// claim is what a request's header says of who signed it; nothing of it is proved.
type claim struct {
	partner                Partner
	time, nonce, signature string
}

// claim reads whose request it is said to be. It needs no body, and refuses what no
// body could make right.
func (s *Server) claim(r *http.Request) (claim, error) {
	rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), Scheme+" ")
	if !ok {
		return claim{}, unauthorised("Send the header Authorization: " + Scheme + " key=…, time=…, nonce=…, signature=….")
	}
	given := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		given[k] = v
	}
	c := claim{time: given["time"], nonce: given["nonce"], signature: given["signature"]}
	if len(c.nonce) < 16 || len(c.nonce) > 100 {
		return claim{}, unauthorised("The nonce must have 16 to 100 characters.")
	}
	for _, p := range s.o.Partners {
		if p.Key == given["key"] && p.Key != "" {
			c.partner = p
		}
	}
	if c.partner.Key == "" {
		return claim{}, unauthorised(wrongKey)
	}
	unix, err := strconv.ParseInt(c.time, 10, 64)
	if off := s.now().Sub(time.Unix(unix, 0)); err != nil || off.Abs() > signedFor {
		return claim{}, unauthorised("The time is more than 5 minutes from ours.")
	}
	return c, nil
}

// authenticate proves a claim by the body. Each request is taken once.
func (s *Server) authenticate(r *http.Request, c claim, body []byte) error {
	ctx := r.Context()
	want := signature(c.partner.Secret, r.Method, r.URL.Path, c.time, c.nonce, body)
	if !hmac.Equal([]byte(want), []byte(c.signature)) {
		if _, err := s.limits.take(ctx, unsigned, s.remote(r)); err != nil {
			return err
		}
		return unauthorised(wrongKey)
	}
	fresh, err := s.o.Redis.SetNX(ctx, "{web:nonce:"+s.limits.hash("nonce", c.partner.Key+" "+c.nonce)+"}", 1, 2*signedFor+time.Minute).Result()
	if err != nil {
		return err
	}
	if !fresh {
		return unauthorised("The nonce was used before.")
	}
	return nil
}

func readBody(r *http.Request, body []byte, into any) error {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return &apiError{kind: "malformed", detail: "Send the header Content-Type: application/json."}
	}
	if !utf8.Valid(body) {
		return &apiError{kind: "malformed", detail: "It is not UTF-8."}
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	err := dec.Decode(into)
	if err == nil && dec.More() {
		err = errors.New("something follows the object")
	}
	var t *json.UnmarshalTypeError
	switch {
	case errors.As(err, &t):
		return &apiError{kind: "invalid", fields: []FieldProblem{{"/" + strings.ReplaceAll(t.Field, ".", "/"), "invalid", "a " + t.Value + " does not fit here"}}}
	case err != nil:
		return &apiError{kind: "malformed", detail: strings.TrimPrefix(err.Error(), "json: ")}
	}
	return nil
}

// once is what is kept under an idempotency key. The ids, with the reporter's
// secret among them, are sealed with a key made from the partner's secret, which
// is not in Redis: whoever reads Redis opens no report with them.
type once struct {
	Body   string `json:"body"` // hash of the request's body
	Sealed []byte `json:"sealed"`
}

// sealOf seals what a partner's requests are remembered by.
func sealOf(p Partner) (cipher.AEAD, error) {
	k, err := hkdf.Key(sha256.New, []byte(p.Secret), nil, "web once seal", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(k)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// idempotent gives the ids of a request: those of the first with its key.
func (s *Server) idempotent(ctx context.Context, p Partner, r *http.Request, body []byte) (ids, error) {
	key := r.Header.Get("Idempotency-Key")
	if key == "" || len(key) > 200 {
		return ids{}, &apiError{kind: "key-missing", detail: "Give each report a key of its own, of at most 200 characters, and the same again when you repeat the request."}
	}
	fresh, err := s.newIDs()
	if err != nil {
		return ids{}, err
	}
	plain, err := json.Marshal(fresh) //nolint:gosec // it is sealed before it is kept
	if err != nil {
		return ids{}, err
	}
	seal, err := sealOf(p)
	if err != nil {
		return ids{}, err
	}
	sum := s.limits.hash("body", r.URL.Path+"\x00"+string(body))
	name := "{web:once:" + s.limits.hash("once", p.Name+"\x00"+key) + "}"
	mine, err := json.Marshal(once{sum, seal.Seal(nil, nil, plain, []byte(name))}) //nolint:gosec // the cipher makes the nonce
	if err != nil {
		return ids{}, err
	}
	if err := s.o.Redis.SetNX(ctx, name, mine, keptFor).Err(); err != nil {
		return ids{}, err
	}
	text, err := s.o.Redis.Get(ctx, name).Bytes()
	if err != nil {
		return ids{}, err
	}
	var first once
	if err := json.Unmarshal(text, &first); err != nil {
		return ids{}, err
	}
	if first.Body != sum {
		return ids{}, &apiError{kind: "key-reused", detail: "Give every report a key of its own."}
	}
	if plain, err = seal.Open(nil, nil, first.Sealed, []byte(name)); err != nil {
		return ids{}, &apiError{kind: "key-reused", detail: "It was used before your secret was changed. Read the report that was made, or give this one another key."}
	}
	var kept ids
	return kept, json.Unmarshal(plain, &kept)
}

func (s *Server) apiCreate(ctx context.Context, p Partner, r *http.Request, body []byte) (int, any, error) {
	var in NewReport
	if err := readBody(r, body, &in); err != nil {
		return 0, nil, err
	}
	answers, bad := s.checkAnswers(in)
	files, badFiles := s.decodeFiles(in.Files)
	if bad = append(bad, badFiles...); len(bad) > 0 {
		return 0, nil, &apiError{kind: "invalid", fields: bad}
	}
	kept, err := s.idempotent(ctx, p, r, body)
	if err != nil {
		return 0, nil, err
	}
	attachments, err := s.keepFiles(ctx, files)
	if err != nil {
		return 0, nil, err
	}
	// The partner's claim on the reference comes first: a report it was told of can
	// always be read.
	if err := s.o.Redis.HSet(ctx, partnerKey(p), ref.Plain(kept.Reference), string(kept.Report)+" "+in.External).Err(); err != nil {
		return 0, nil, err
	}
	err = s.accept(ctx, "api:"+string(kept.Report), submission{
		Kind: kindReport, IDs: kept, Contact: kept.Contact, Message: kept.Message,
		Language: s.texts.Language(in.Language).Code, Answers: answers, Attachments: attachments, Partner: p.Name, External: in.External,
	})
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, Made{kept.Reference, kept.Secret, "received"}, nil
}

// partnerKey lists the reports that a partner made, by plain reference.
func partnerKey(p Partner) string { return "{web:partner:" + p.Name + "}" }

// mine is the report of a partner that a reference names.
func (s *Server) mine(ctx context.Context, p Partner, reference string) (crm.ReportID, string, error) {
	held, err := s.o.Redis.HMGet(ctx, partnerKey(p), ref.Plain(reference)).Result()
	if err != nil {
		return "", "", err
	}
	text, ok := held[0].(string)
	if !ok {
		return "", "", &apiError{kind: "not-found"}
	}
	id, external, _ := strings.Cut(text, " ")
	return crm.ReportID(id), external, nil
}

func (s *Server) apiRead(ctx context.Context, p Partner, r *http.Request, _ []byte) (int, any, error) {
	id, external, err := s.mine(ctx, p, r.PathValue("reference"))
	if err != nil {
		return 0, nil, err
	}
	out := State{Reference: r.PathValue("reference"), External: external, Status: "received", TrackingAt: "/track"}
	report, err := s.o.Records.Report(ctx, id)
	switch {
	case errors.Is(err, crm.ErrNotFound):
		return http.StatusOK, out, nil
	case errors.Is(err, crm.ErrRestricted):
		// As any other that is not theirs: that it is restricted is nobody's business.
		return 0, nil, &apiError{kind: "not-found"}
	}
	if err != nil {
		return 0, nil, err
	}
	out.Reference, out.Status, out.Incident, out.Crime = report.Reference, string(report.Status), report.IncidentNumber, report.CrimeNumber
	out.Received, out.Changed = report.Created.String(), report.Changed.String()
	for _, u := range report.Updates {
		if len(u.For) == 0 {
			out.Updates = append(out.Updates, Update{u.At.String(), u.Text})
		}
	}
	return http.StatusOK, out, nil
}

func (s *Server) apiAdd(ctx context.Context, p Partner, r *http.Request, body []byte) (int, any, error) {
	id, _, err := s.mine(ctx, p, r.PathValue("reference"))
	if err != nil {
		return 0, nil, err
	}
	var in MoreInformation
	if err := readBody(r, body, &in); err != nil {
		return 0, nil, err
	}
	text := form.Clean(in.Text, true)
	files, bad := s.decodeFiles(in.Files)
	switch {
	case text == "" && len(in.Files) == 0:
		bad = append(bad, FieldProblem{"/text", "missing", "write something or add a file"})
	case utf8.RuneCountInString(text) > noteMost:
		bad = append(bad, FieldProblem{"/text", "too_long", fmt.Sprintf("at most %d characters", noteMost)})
	}
	if len(bad) > 0 {
		return 0, nil, &apiError{kind: "invalid", fields: bad}
	}
	kept, err := s.idempotent(ctx, p, r, body)
	if err != nil {
		return 0, nil, err
	}
	attachments, err := s.keepFiles(ctx, files)
	if err != nil {
		return 0, nil, err
	}
	err = s.accept(ctx, "api:"+string(kept.Report), submission{
		Kind: kindAdd, IDs: ids{Report: id, Reference: r.PathValue("reference")}, Contact: kept.Contact, Message: kept.Message,
		Language: s.texts.Language(in.Language).Code, Text: text, Attachments: attachments, Partner: p.Name,
	})
	if err != nil {
		return 0, nil, err
	}
	return http.StatusAccepted, Added{"received"}, nil
}

// checkAnswers holds a partner's answers to the form: the same fields, pages and
// ways as the public's.
func (s *Server) checkAnswers(in NewReport) (form.Answers, []FieldProblem) {
	l := s.texts.Languages[0]
	var bad []FieldProblem
	add := func(pointer, code, detail string) { bad = append(bad, FieldProblem{pointer, code, detail}) }
	if in.Language != "" && !s.texts.Has(in.Language) {
		add("/language", "choose", "the form has no such language")
	}
	if utf8.RuneCountInString(in.External) > 100 {
		add("/external_reference", "too_long", "at most 100 characters")
	}
	for _, name := range slices.Sorted(maps.Keys(in.Answers)) {
		if f := s.form.Field(name); f == nil || f.Kind == form.Files || s.listField(name) {
			add("/answers/"+pointer(name), "unknown", "the form has no such field here")
		}
	}
	given := in.Answers
	answers := form.Answers{}
	if len(in.Items) > s.form.Most {
		add("/items", "too_long", fmt.Sprintf("at most %d items", s.form.Most))
	}
	at := s.form.Start
	for n := 0; n <= len(s.form.Steps); n++ {
		step := s.form.Step(at)
		if step == nil {
			break
		}
		switch {
		case step.Stop != "":
			add("/answers/"+step.Stop, "stop", "somebody may be at risk: send the person to 999, or to a call-handler on 101")
			return nil, bad
		case step.List != "":
			if len(in.Items) == 0 {
				add("/items", "missing", "give at least one item")
			}
			for i, item := range in.Items[:min(len(in.Items), s.form.Most)] {
				entry := s.checkStep(step, item, fmt.Sprintf("/items/%d/", i), l, &bad)
				for _, name := range slices.Sorted(maps.Keys(item)) {
					if stepField(step, name) == nil {
						add(fmt.Sprintf("/items/%d/%s", i, pointer(name)), "unknown", "an item has no such field")
					}
				}
				answers.SetEntry(step.List, i, entry)
			}
		case step.More != "":
			answers["another"] = "no"
		case templateOf(step) == "files":
		default:
			maps.Copy(answers, s.checkStep(step, given, "/answers/", l, &bad))
		}
		if len(bad) > 0 && slices.ContainsFunc(step.Fields, func(f *form.Field) bool { return len(f.Options) > 0 && answers[f.Name] == "" }) && len(step.Next) > 1 {
			return nil, bad // which pages follow is not known
		}
		at = step.Follow(answers)
	}
	return answers, bad
}

// listField tells that a field belongs to an item.
func (s *Server) listField(name string) bool {
	return slices.ContainsFunc(s.form.Steps, func(st *form.Step) bool { return st.List != "" && stepField(st, name) != nil })
}

// pointer escapes a name for a JSON pointer.
func pointer(name string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(name) }

// checkStep reads one page's answers as a program gives them.
func (s *Server) checkStep(step *form.Step, given map[string]string, at string, l *form.Language, bad *[]FieldProblem) form.Answers {
	values := map[string][]string{}
	for _, f := range step.Fields {
		v := given[f.Name]
		switch {
		case v == "":
		case f.Kind == form.Checkboxes:
			values[f.Name] = strings.Split(v, ",")
		case f.Kind == form.Date:
			for i, n := range strings.SplitN(v, "-", 3) {
				values[f.Parts()[2-i]] = []string{n}
			}
		default:
			values[f.Name] = []string{v}
		}
	}
	answers, problems := step.Decode(values, s.now(), s.o.Zone)
	for _, p := range problems {
		*bad = append(*bad, FieldProblem{at + p.Field, p.Code, l.Sentence(p)})
	}
	for k, v := range answers {
		if v == "" {
			delete(answers, k)
		}
	}
	return answers
}

// plainFile is a decoded file of a request.
type plainFile struct {
	name, kind string
	content    []byte
}

func (s *Server) decodeFiles(in []NewFile) ([]plainFile, []FieldProblem) {
	var out []plainFile
	var bad []FieldProblem
	if len(in) > s.o.FilesMost {
		return nil, []FieldProblem{{"/files", "too_long", fmt.Sprintf("at most %d files", s.o.FilesMost)}}
	}
	for i, f := range in {
		content, err := base64.StdEncoding.DecodeString(f.Content)
		kind := Detect(content[:min(len(content), 512)])
		at := fmt.Sprintf("/files/%d/content", i)
		switch {
		case err != nil:
			bad = append(bad, FieldProblem{at, "invalid", "it is not base64"})
		case len(content) == 0:
			bad = append(bad, FieldProblem{at, "missing", "the file is empty"})
		case int64(len(content)) > s.o.FileMost:
			bad = append(bad, FieldProblem{at, "too_long", fmt.Sprintf("at most %d bytes", s.o.FileMost)})
		case kind == "":
			bad = append(bad, FieldProblem{at, "invalid", "it is neither a photograph, a video, a PDF nor text"})
		default:
			out = append(out, plainFile{FileName(f.Name), kind, content})
		}
	}
	return out, bad
}

func (s *Server) keepFiles(ctx context.Context, files []plainFile) ([]crm.Attachment, error) {
	var out []crm.Attachment
	for i, f := range files {
		name, size, err := s.o.Blobs.Put(ctx, bytes.NewReader(f.content), s.o.FileMost)
		if errors.Is(err, blob.ErrFull) {
			return nil, &apiError{kind: "unavailable", detail: "There is no space for files.", err: err}
		}
		if err != nil {
			return nil, err
		}
		out = append(out, crm.Attachment{ID: strconv.Itoa(i + 1), Name: f.name, Blob: name, Size: size, Detected: f.kind, Scan: crm.NotScanned})
	}
	return out, nil
}

package ariswitch

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"example.org/c3i/telephony"
)

// Endpoint is a phone that signs in to Asterisk with short-lived credentials.
type Endpoint struct {
	// ID is its name in Asterisk and its SIP user: PJSIP/<ID> rings it. Letters,
	// digits, dots, dashes and underscores.
	ID       string
	Password string
	// Context is where its calls enter the dialplan.
	Context string
	// WebRTC makes it a browser's: DTLS-SRTP, ICE, over the websocket transport.
	WebRTC bool
	// Codecs in order of preference. Default alaw, ulaw.
	Codecs []string
	// MaxContacts is how many devices may register. 1 unless given.
	MaxContacts int
	// CallerNumber and CallerName are set on its calls, whatever it says itself;
	// empty sets nothing.
	CallerNumber, CallerName string
}

// Dial is the dial string that rings the endpoint.
func (e Endpoint) Dial() string { return "PJSIP/" + e.ID }

type field struct {
	Attribute string `json:"attribute"`
	Value     string `json:"value"`
}

// objects are the endpoint's three sorcery objects, those depended on first.
func (e Endpoint) objects() []struct {
	kind   string
	fields []field
} {
	contacts := max(1, e.MaxContacts)
	codecs := strings.Join(e.Codecs, ",")
	if codecs == "" {
		codecs = "alaw,ulaw"
	}
	endpoint := []field{
		{"aors", e.ID},
		{"auth", e.ID},
		{"context", e.Context},
		{"disallow", "all"},
		{"allow", codecs},
		{"direct_media", "no"},
		{"rtp_symmetric", "yes"},
		{"force_rport", "yes"},
		{"rewrite_contact", "yes"},
		{"identify_by", "username"},
		{"dtmf_mode", "rfc4733"},
		{"allow_transfer", "no"},
		{"allow_subscribe", "no"},
		{"send_pai", "no"},
		{"send_rpid", "no"},
		{"trust_id_inbound", "no"},
	}
	if e.WebRTC {
		// A browser that dies says nothing: its silence for 20 s ends the call.
		endpoint = append(endpoint, field{"webrtc", "yes"}, field{"transport", "transport-ws"}, field{"rtp_timeout", "20"})
	}
	if cid := callerID(e.CallerName, e.CallerNumber); cid != "" {
		endpoint = append(endpoint, field{"callerid", cid})
	}
	return []struct {
		kind   string
		fields []field
	}{
		{"auth", []field{{"auth_type", "userpass"}, {"username", e.ID}, {"password", e.Password}}},
		{"aor", []field{{"max_contacts", strconv.Itoa(contacts)}, {"remove_existing", "yes"}, {"support_path", "no"}}},
		{"endpoint", endpoint},
	}
}

// ErrEndpointID is the error for an endpoint whose name Asterisk would misread.
var ErrEndpointID = errors.New("an endpoint's id must be 1 to 63 letters, digits, dots, dashes or underscores")

func validEndpointID(id string) bool {
	if id == "" || len(id) > 63 {
		return false
	}
	for _, r := range id {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-", r) {
			return false
		}
	}
	return true
}

func dynamicPath(kind, id string) []string {
	return []string{"asterisk", "config", "dynamic", "res_pjsip", kind, id}
}

// PushEndpoint makes the endpoint in Asterisk's memory, or changes it, and makes
// it again whenever Asterisk was restarted, until RemoveEndpoint. An error says
// it is not there now; it will still be made at the next connection.
func (s *Switch) PushEndpoint(ctx context.Context, e Endpoint) error {
	if !validEndpointID(e.ID) {
		return &telephony.Error{Op: "push_endpoint", Kind: telephony.ErrRefused, Err: ErrEndpointID}
	}
	s.mu.Lock()
	s.endpoints[e.ID] = e
	s.mu.Unlock()
	return s.push(ctx, e)
}

func (s *Switch) push(ctx context.Context, e Endpoint) error {
	for _, o := range e.objects() {
		body := struct {
			Fields []field `json:"fields"`
		}{o.fields}
		if err := s.call(ctx, request{op: "push_endpoint", method: http.MethodPut, path: dynamicPath(o.kind, e.ID), body: body, again: true}); err != nil {
			return err
		}
	}
	return nil
}

// RemoveEndpoint takes the endpoint away; a phone signed in with it can neither
// ring nor be rung any more. One that is not there is success.
func (s *Switch) RemoveEndpoint(ctx context.Context, id string) error {
	if !validEndpointID(id) {
		return &telephony.Error{Op: "remove_endpoint", Kind: telephony.ErrRefused, Err: ErrEndpointID}
	}
	s.mu.Lock()
	delete(s.endpoints, id)
	s.mu.Unlock()
	var errs []error
	for _, kind := range []string{"endpoint", "aor", "auth"} {
		errs = append(errs, gone(s.call(ctx, request{op: "remove_endpoint", method: http.MethodDelete, path: dynamicPath(kind, id), again: true})))
	}
	return errors.Join(errs...)
}

// WatchPhone asks for telephony.EndpointChanged events of a phone, named as in a
// dial string (PJSIP/desk1), and tells whether it can be rung now.
func (s *Switch) WatchPhone(ctx context.Context, dial string) (up bool, err error) {
	tech, name, ok := strings.Cut(dial, "/")
	if !ok || tech == "" || !validEndpointID(name) {
		return false, &telephony.Error{Op: "watch_phone", Kind: telephony.ErrRefused, Err: ErrEndpointID}
	}
	s.mu.Lock()
	s.watched[dial] = true
	s.mu.Unlock()
	if err := s.subscribe(ctx, "deviceState:"+dial); err != nil {
		return false, err
	}
	return s.PhoneUp(ctx, dial)
}

// UnwatchPhone asks for no more events of a phone.
func (s *Switch) UnwatchPhone(ctx context.Context, dial string) error {
	s.mu.Lock()
	delete(s.watched, dial)
	s.mu.Unlock()
	return gone(s.call(ctx, request{
		op: "unsubscribe", method: http.MethodDelete, path: []string{"applications", s.o.App, "subscription"},
		query: url.Values{"eventSource": {"deviceState:" + dial}}, again: true,
	}))
}

// PhoneUp tells whether a phone can be rung now. One that Asterisk does not know
// cannot.
func (s *Switch) PhoneUp(ctx context.Context, dial string) (bool, error) {
	tech, name, _ := strings.Cut(dial, "/")
	var e struct {
		State string `json:"state"`
	}
	err := s.call(ctx, request{op: "endpoint", method: http.MethodGet, path: []string{"endpoints", tech, name}, into: &e, again: true})
	if errors.Is(err, telephony.ErrNotFound) {
		return false, nil
	}
	return e.State == "online", err
}

// resubscribe renews, on a new connection, what the last one took with it: the
// subscriptions, and the endpoints if Asterisk was restarted. It also proves
// that Asterisk answers commands.
func (s *Switch) resubscribe(ctx context.Context) error {
	if err := s.call(ctx, request{op: "application", method: http.MethodGet, path: []string{"applications", s.o.App}, again: true}); err != nil {
		return err
	}
	s.mu.Lock()
	endpoints := make([]Endpoint, 0, len(s.endpoints))
	for _, e := range s.endpoints {
		endpoints = append(endpoints, e)
	}
	watched := make([]string, 0, len(s.watched))
	for w := range s.watched {
		watched = append(watched, w)
	}
	s.mu.Unlock()
	for _, e := range endpoints {
		err := s.call(ctx, request{op: "endpoint", method: http.MethodGet, path: dynamicPath("endpoint", e.ID), again: true})
		if errors.Is(err, telephony.ErrNotFound) {
			err = s.push(ctx, e)
		}
		if err := s.tolerable(err); err != nil {
			return err
		}
	}
	for _, w := range watched {
		if err := s.tolerable(s.subscribe(ctx, "deviceState:"+w)); err != nil {
			return err
		}
	}
	return nil
}

// tolerable lets one phone that Asterisk will not have be that phone's trouble
// and not everybody's; an Asterisk that does not answer is another matter.
func (s *Switch) tolerable(err error) error {
	if err == nil || errors.Is(err, telephony.ErrUnavailable) {
		return err
	}
	s.o.Log.Error().Err(err).Msg("a phone could not be restored in Asterisk")
	return nil
}

package ariswitch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"example.org/c3i/telephony"
)

// maxBody bounds what is read of an answer.
const maxBody = 16 << 20

// request is one REST call.
type request struct {
	op     string
	method string
	// path segments below /ari, escaped one by one.
	path  []string
	query url.Values
	body  any // JSON, or nil
	into  any // decoded from the answer, or nil
	// again tells that repeating it is harmless: after a connection failed, which
	// happens when Asterisk closes an idle one at the moment we use it, it is
	// tried once more.
	again bool
}

func newTransport(connections int) *http.Transport {
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 2 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		MaxConnsPerHost:     connections,
		MaxIdleConns:        connections,
		MaxIdleConnsPerHost: connections,
		// Asterisk closes idle connections after 15 s; we must be first.
		IdleConnTimeout:     10 * time.Second,
		TLSHandshakeTimeout: 5 * time.Second,
	}
}

// call carries out one request. Errors are *telephony.Error.
func (s *Switch) call(ctx context.Context, r request) error {
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.o.Timeout)
		defer cancel()
	}
	err := s.once(ctx, r)
	if r.again && lost(err) && ctx.Err() == nil {
		err = s.once(ctx, r)
	}
	return err
}

// lost tells that a request got no answer at all: the connection failed.
func lost(err error) bool {
	var te *telephony.Error
	return errors.As(err, &te) && te.Status == 0 && errors.Is(err, telephony.ErrUnavailable)
}

func (s *Switch) once(ctx context.Context, r request) error {
	fail := func(kind error, status int, message string, err error) error {
		return &telephony.Error{Op: r.op, Kind: kind, Status: status, Message: message, Err: err}
	}
	target := s.o.URL + "/ari"
	for _, p := range r.path {
		target += "/" + url.PathEscape(p)
	}
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	var body io.Reader
	if r.body != nil {
		b, err := json.Marshal(r.body)
		if err != nil {
			return fail(telephony.ErrRefused, 0, "", err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, body)
	if err != nil {
		return fail(telephony.ErrRefused, 0, "", err)
	}
	req.Header.Set("Authorization", s.auth)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return fail(telephony.ErrUnavailable, 0, "", bare(err))
	}
	defer func() {
		// A body not read to its end costs the connection.
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
		_ = resp.Body.Close()
	}()
	if resp.StatusCode/100 == 2 {
		if r.into == nil {
			return nil
		}
		if err := json.NewDecoder(io.LimitReader(resp.Body, maxBody)).Decode(r.into); err != nil {
			return fail(telephony.ErrUnavailable, resp.StatusCode, "", fmt.Errorf("answer cannot be read: %w", err))
		}
		return nil
	}
	var said struct {
		Message string `json:"message"`
		Error   string `json:"error"`
	}
	_ = json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&said)
	if said.Message == "" {
		said.Message = said.Error
	}
	return fail(kindOf(resp.StatusCode), resp.StatusCode, said.Message, nil)
}

func kindOf(status int) error {
	switch {
	case status == http.StatusNotFound:
		return telephony.ErrNotFound
	case status == http.StatusConflict || status == http.StatusPreconditionFailed:
		return telephony.ErrConflict
	case status >= 500:
		return telephony.ErrUnavailable
	}
	return telephony.ErrRefused
}

// bare drops the URL that net/http puts into its errors: it holds numbers.
func bare(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return ue.Err
	}
	return err
}

// gone makes "it is not there any more" a success.
func gone(err error) error {
	if errors.Is(err, telephony.ErrNotFound) {
		return nil
	}
	return err
}

// message is what Asterisk said with an error, in lower case.
func message(err error) string {
	var te *telephony.Error
	if errors.As(err, &te) {
		return strings.ToLower(te.Message)
	}
	return ""
}

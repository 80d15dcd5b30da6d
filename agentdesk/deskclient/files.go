package deskclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"

	"example.org/c3i/agentdesk"
)

// Upload gives a file for an answer.
func (s *Session) Upload(ctx context.Context, name string, content []byte) (agentdesk.Upload, error) {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("file", name)
	if err == nil {
		_, err = part.Write(content)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return agentdesk.Upload{}, err
	}
	resp, err := s.request(ctx, http.MethodPost, "/api/uploads", w.FormDataContentType(), &form, "")
	if err != nil {
		return agentdesk.Upload{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	var out agentdesk.Upload
	return out, json.NewDecoder(resp.Body).Decode(&out)
}

// File fetches a message, an attachment or HTML by the address a message gave. A
// reason opens what belongs to a restricted record. The caller closes the body.
func (s *Session) File(ctx context.Context, address, reason string) (*http.Response, error) {
	return s.request(ctx, http.MethodGet, address, "", nil, reason)
}

func (s *Session) request(ctx context.Context, method, address, kind string, body io.Reader, reason string) (*http.Response, error) {
	at, err := s.base.Parse(address)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, at.String(), body)
	if err != nil {
		return nil, err
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if reason != "" {
		req.Header.Set("C3i-Reason", url.QueryEscape(reason))
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode < 300 {
		return resp, nil
	}
	defer func() { _ = resp.Body.Close() }()
	var e agentdesk.ErrorBody
	if err := json.NewDecoder(resp.Body).Decode(&e); err != nil || e.Error.Code == "" {
		return nil, errors.New("deskclient: the server answered " + resp.Status)
	}
	return nil, &e.Error
}

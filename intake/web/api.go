package web

import "net/http"

func (s *Server) api() http.Handler { return http.NotFoundHandler() }
func (s *Server) openAPI() ([]byte, error) { return nil, nil }

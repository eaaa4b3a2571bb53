package main

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v4"
	"golang.org/x/crypto/argon2"
)

func (s *server) slow(w http.ResponseWriter, r *http.Request) error {
	ms := number(r, "ms")
	if _, err := s.slowPool.Exec(r.Context(), s.sql["slow"], float64(ms)/1000); err != nil {
		return err
	}
	return answer(w, 200, map[string]int{"slept": ms})
}

func (s *server) message(w http.ResponseWriter, r *http.Request) error {
	var m message
	row := s.pool.QueryRow(r.Context(), s.sql["message"], number(r, "id"))
	if err := row.Scan(&m.ID, &m.Room, &m.User, &m.Body, &m.CreatedMs); err != nil {
		return err
	}
	return answer(w, 200, m)
}

func (s *server) history(w http.ResponseWriter, r *http.Request) error {
	all, err := rows(s, r.Context(), scanMessage, "history", number(r, "id"), number(r, "limit"))
	if err != nil {
		return err
	}
	return answer(w, 200, map[string][]message{"messages": all})
}

func (s *server) post(w http.ResponseWriter, r *http.Request) error {
	m := message{Room: number(r, "id")}
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		return err
	}
	row := s.pool.QueryRow(r.Context(), s.sql["post"], m.Room, m.User, m.Body)
	if err := row.Scan(&m.ID, &m.CreatedMs); err != nil {
		return err
	}
	text, _ := json.Marshal(m)
	s.publish(r.PathValue("id"), text)
	return send(w, 201, text)
}

type home struct {
	User   named   `json:"user"`
	Rooms  []named `json:"rooms"`
	Unseen int     `json:"unseen"`
	Latest []brief `json:"latest"`
}

func (s *server) home(w http.ResponseWriter, r *http.Request) error {
	var h home
	ctx, user := r.Context(), number(r, "user")
	queries := []func() error{
		func() error { return s.pool.QueryRow(ctx, s.sql["user"], user).Scan(&h.User.ID, &h.User.Name) },
		func() error { return s.pool.QueryRow(ctx, s.sql["unseen"], user).Scan(&h.Unseen) },
		func() (err error) {
			scan := func(row pgx.Rows, n *named) error { return row.Scan(&n.ID, &n.Name) }
			h.Rooms, err = rows(s, ctx, scan, "rooms", user)
			return
		},
		func() (err error) { h.Latest, err = rows(s, ctx, scanLatest, "latest", user); return },
	}
	done := make(chan error, len(queries))
	for _, query := range queries {
		go func() { done <- query() }()
	}
	for range queries {
		if err := <-done; err != nil {
			return err
		}
	}
	return answer(w, 200, h)
}

func scanLatest(row pgx.Rows, m *brief) error { return row.Scan(&m.ID, &m.Body) }

type page struct {
	URL   string `json:"url"`
	Title string `json:"title"`
}

func (s *server) preview(w http.ResponseWriter, r *http.Request) error {
	url := r.URL.Query().Get("url")
	reply, err := s.outside.Get(url)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(string(text), "<title>")
	title, _, _ := strings.Cut(rest, "</title>")
	if _, err := s.pool.Exec(r.Context(), s.sql["preview"], url, title); err != nil {
		return err
	}
	return answer(w, 200, page{url, title})
}

func (s *server) mixed(w http.ResponseWriter, r *http.Request) error {
	ms := number(r, "ms")
	reply, err := s.broker.Request("lab.echo", []byte("ping"), 30*time.Second)
	if err != nil {
		return err
	}
	if _, err := s.slowPool.Exec(r.Context(), s.sql["slow"], float64(ms)/1000); err != nil {
		return err
	}
	return answer(w, 200, map[string]any{"reply": string(reply.Data), "slept": ms})
}

func (s *server) login(w http.ResponseWriter, r *http.Request) error {
	var who struct {
		User     int
		Password string
	}
	if err := json.NewDecoder(r.Body).Decode(&who); err != nil {
		return err
	}
	var stored string
	if err := s.pool.QueryRow(r.Context(), s.sql["password"], who.User).Scan(&stored); err != nil {
		return err
	}
	if !verify(stored, who.Password) {
		return answer(w, 401, map[string]bool{"ok": false})
	}
	return answer(w, 200, map[string]bool{"ok": true})
}

// verify reads the parameters out of the PHC string, as every argon2 library does.
func verify(stored, password string) bool {
	var memory, passes uint32
	var lanes uint8
	parts := strings.Split(stored, "$")
	fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes)
	salt, _ := base64.RawStdEncoding.DecodeString(parts[4])
	want, _ := base64.RawStdEncoding.DecodeString(parts[5])
	given := argon2.IDKey([]byte(password), salt, passes, memory, lanes, uint32(len(want)))
	return subtle.ConstantTimeCompare(given, want) == 1
}

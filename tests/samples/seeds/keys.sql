-- Composite, overlapping and optional foreign keys; to unique constraints; MATCH FULL; one to one; many to many.
CREATE TABLE tenants (id integer PRIMARY KEY, name text NOT NULL UNIQUE, code varchar(4) UNIQUE);
CREATE TABLE users (
    tenant_id integer NOT NULL REFERENCES tenants, id integer NOT NULL, email text NOT NULL, manager_id integer,
    PRIMARY KEY (tenant_id, id), UNIQUE (tenant_id, email),
    FOREIGN KEY (tenant_id, manager_id) REFERENCES users (tenant_id, id)
);
CREATE TABLE projects (
    tenant_id integer NOT NULL REFERENCES tenants, id integer NOT NULL, owner_id integer NOT NULL, reviewer_id integer,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id),
    FOREIGN KEY (tenant_id, reviewer_id) REFERENCES users (tenant_id, id),
    CHECK (owner_id <> reviewer_id)
);
CREATE TABLE tasks (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), tenant_id integer NOT NULL, project_id integer NOT NULL,
    assignee_id integer, position integer NOT NULL,
    FOREIGN KEY (tenant_id, project_id) REFERENCES projects, FOREIGN KEY (tenant_id, assignee_id) REFERENCES users,
    UNIQUE (tenant_id, project_id, position)
);
CREATE TABLE full_match (
    a integer, b integer, note text, FOREIGN KEY (a, b) REFERENCES users (tenant_id, id) MATCH FULL
);
CREATE TABLE by_code (code varchar(4) NOT NULL REFERENCES tenants (code), name text REFERENCES tenants (name));
CREATE TABLE profiles (tenant_id integer, user_id integer, bio text, PRIMARY KEY (tenant_id, user_id),
                       FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE);
CREATE TABLE tags (id smallserial PRIMARY KEY, label varchar(3) NOT NULL);
CREATE TABLE task_tags (task_id uuid NOT NULL REFERENCES tasks, tag_id smallint NOT NULL REFERENCES tags, PRIMARY KEY (task_id, tag_id));
CREATE TABLE wide_to_narrow (id bigserial PRIMARY KEY);
CREATE TABLE narrow (id integer NOT NULL REFERENCES wide_to_narrow);

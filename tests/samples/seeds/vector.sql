-- Embeddings.
-- needs: vector
CREATE EXTENSION vector;
CREATE TABLE documents (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), body text NOT NULL, embedding vector(8) NOT NULL, summary vector,
    small halfvec(4), sparse sparsevec(5)
);
CREATE INDEX ON documents USING hnsw (embedding vector_cosine_ops);

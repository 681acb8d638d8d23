-- name: lineage
-- question: Where does a generated file come from, and where else is it?
-- param: artifact text | its digest, or how the digest begins
SELECT kind, id, name, detail, time FROM lineage($artifact)

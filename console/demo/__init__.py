"""The living demo: real mail servers, customers who write and answer, a home thrown away."""

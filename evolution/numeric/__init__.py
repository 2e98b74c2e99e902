"""Search by numbers: genetic algorithms, CMA-ES and evolution strategies over genomes of a fixed length."""

mod pure;
mod real;

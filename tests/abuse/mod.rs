//! What callers get wrong or try, one test for each row of the list of abuse cases.

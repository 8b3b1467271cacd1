"""The engine: what a trial is (key), what each gave (store), what is left to do (sweep).

It knows no method, no network and no accuracy: a study says all of that (studies/).
"""

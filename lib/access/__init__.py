"""Who may use a Tempera that many share, and how they are told apart.

password        the one password, kept as its hash only
invited         who may sign in with an account elsewhere
tries           how often it may be tried
cookie_secret   what cookies are signed with, the same after a restart
sign_ins        lets people in, knows them again by their cookie, and lets them go
"""
